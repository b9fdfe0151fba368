"""What `shsim serve` and `shsim token` do."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shsim.cli.log_lines import Level, log, speaks_json
from shsim.cli.progress import Narrator
from shsim.cli.streams import emit, say
from shsim.cli.work.sources import DatabaseRequest, open_database, understood_dsn
from shsim.errors import UsageError
from shsim.extras.installed import require_extra
from shsim.report.plain_text import visible_line
from shsim.storage.embedded import embedded_dsn, embedded_path

if TYPE_CHECKING:
    from shsim.extras.admin_api.keys import Keys
    from shsim.extras.admin_api.settings import ServerSettings

_ORIGIN = re.compile(
    r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-fA-F:]+\](:[0-9]{1,5})?"
)

#: Ports that browsers leave out.
_OWN_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeRequest(DatabaseRequest):
    """The options of `serve`."""

    jwt_secret_file: str | None
    audience: str | None
    issuer: str | None
    host: str
    port: int
    origins: str | None
    jwt_public_key: str | None
    jwks: str | None
    metrics_open: bool
    concurrency: int
    queue: int
    most_bytes: int
    most_n: int
    most_verify_n: int
    most_iters: int
    most_items: int
    most_points: int
    most_nodes: int
    most_work: int
    most_mb: int
    most_seconds: int
    threads: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """The options of `token`."""

    jwt_secret_file: str | None
    audience: str | None
    issuer: str | None
    subject: str
    role: str
    ttl: int
    quiet: bool


def run_serve(request: ServeRequest) -> None:
    """Serve until a signal.

    Raises
    ------
    MissingExtraError
        The extra is not installed.
    UsageError
        There is no key, or too many; something is spelled wrong.
    """
    require_extra("api", "shsim serve")
    from shsim.extras.admin_api.serve import serve

    settings, write = _settings(request), _log(quiet=request.quiet)
    for sentence in settings.keys.left_out:
        write("warning", "key", sentence)
    serve(settings, write)


def run_token(request: TokenOptions) -> None:
    """Mint and print."""
    require_extra("api", "shsim token")
    from shsim.extras.admin_api.tokens import TokenRequest, mint

    keys = _keys(
        {"--jwt-secret-file": request.jwt_secret_file},
        "a secret to sign with is needed, the one that the server was started with",
    )
    wanted = TokenRequest(
        subject=request.subject,
        role=request.role,
        ttl=request.ttl,
        audience=request.audience,
        issuer=request.issuer,
    )
    emit(f"{mint(keys, wanted)}\n")


def _settings(request: ServeRequest) -> ServerSettings:
    from shsim.extras.admin_api.settings import Limits, ServerSettings

    keys = _keys(
        {
            "--jwt-secret-file": request.jwt_secret_file,
            "--jwt-public-key": request.jwt_public_key,
            "--jwks": request.jwks,
        },
        "a key is needed, or anybody could come in",
    )
    return ServerSettings(
        host=request.host,
        port=request.port,
        keys=keys,
        audience=request.audience,
        issuer=request.issuer,
        origins=_origins(request.origins),
        dsn=_dsn(request),
        metrics_open=request.metrics_open,
        concurrency=request.concurrency,
        queue=request.queue,
        threads=request.threads,
        limits=Limits(
            body_bytes=request.most_bytes,
            n=request.most_n,
            verify_n=request.most_verify_n,
            iters=request.most_iters,
            items=request.most_items,
            points=request.most_points,
            nodes=request.most_nodes,
            work=request.most_work,
            mb=request.most_mb,
            seconds=request.most_seconds,
        ),
    )


def _keys(files: Mapping[str, str | None], lack: str) -> Keys:
    """The one key that is named, in a file or in the environment; `lack` says why there is one."""
    from shsim.extras.admin_api import jwks, keys

    readers: Mapping[str, Callable[[str], Keys]] = {
        "--jwt-secret-file": keys.secret_file,
        "--jwt-public-key": keys.public_key_file,
        "--jwks": jwks.jwks_file,
    }
    named = {option: path for option, path in files.items() if path is not None}
    secret = os.environ.get(keys.SECRET_VARIABLE)
    if len(named) + bool(secret) > 1:
        every = [*named, *([keys.SECRET_VARIABLE] if secret else [])]
        raise UsageError(f"{' and '.join(every)} are several keys. Give one of them.")
    for option, path in named.items():
        return readers[option](path)
    if not secret:
        raise UsageError(
            f"{lack}: {keys.SECRET_VARIABLE} in the environment, or"
            f" {'one of ' if len(files) > 1 else ''}{', '.join(files)}."
            " A new secret is made by: openssl rand -base64 48"
        )
    return keys.secret_key(secret, keys.SECRET_VARIABLE)


def _origins(text: str | None) -> tuple[str, ...]:
    origins = tuple(each.strip().rstrip("/") for each in (text or "").split(",") if each.strip())
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise UsageError(
                f"--origins: {origin!r} is no origin. Write it like https://qbank.example"
            )
    return tuple(_as_browsers_say(origin) for origin in origins)


def _as_browsers_say(origin: str) -> str:
    """The origin as it stands in requests: in small letters, without its scheme's own port."""
    scheme, _, place = origin.lower().partition("://")
    return f"{scheme}://{place.removesuffix(_OWN_PORTS[scheme])}"


def _dsn(request: ServeRequest) -> str:
    """The database; the embedded one is made, or brought up to date, before it is served."""
    dsn = understood_dsn(request)
    if dsn is not None:
        return dsn
    with open_database(request, Narrator(quiet=request.quiet), read_only=False):
        return embedded_dsn(embedded_path())


def _log(*, quiet: bool) -> Callable[..., None]:
    """Lines of the server's log, in the format that stderr has."""

    def line(
        level: Level, event: str, message: str, fields: Mapping[str, Any] | None = None, /
    ) -> None:
        if quiet and level == "info" and event != "listening":
            return
        if speaks_json():
            log(level, event, message, fields)
            return
        say(visible_line(message if level == "info" else f"{level}: {message}"))
        if fields is not None and "traceback" in fields:
            say(fields["traceback"])

    return line
