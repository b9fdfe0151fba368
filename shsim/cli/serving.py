"""`shsim serve` and `shsim token`: their options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from shsim.cli import options
from shsim.cli.command import Command
from shsim.cli.options import setting, together

F = TypeVar("F", bound=Callable[..., Any])

KEYS = "Who gets in"
NETWORK = "Where to listen"
WORK = "How much at a time"
TOKEN = "The token"  # noqa: S105 - a heading

SERVE_EPILOG = """
\b
Examples:
  (umask 077; openssl rand -base64 48 > jwt-secret)
  shsim serve --jwt-secret-file jwt-secret
      The embedded database, at http://127.0.0.1:8000.
  shsim serve --dsn postgresql://qbank@db/qbank --jwks /etc/shsim/jwks.json \\
      --audience shsim --issuer https://id.example --log-format json
  TOKEN=$(shsim token --jwt-secret-file jwt-secret)
  curl -H "Authorization: Bearer $TOKEN" \\
      http://127.0.0.1:8000/v1/admin/exposure/items?limit=10

\b
A key is needed: SHSIM_JWT_SECRET or --jwt-secret-file (HS256, 32 bytes at
least), --jwt-public-key or --jwks (RS256, ES256). Tokens are JWT with `exp`,
and `role` or `roles`: admin for what changes or computes, viewer for reading.
"""

MINTING_EPILOG = """
\b
Examples:
  shsim token --jwt-secret-file jwt-secret
  shsim token --jwt-secret-file jwt-secret --subject me --role admin --ttl 600
      The server must have been started with the same secret.
"""

_secret = setting(
    "--jwt-secret-file",
    section=KEYS,
    metavar="FILE",
    type=click.Path(),
    help="The secret of HS256 tokens, at least 32 bytes. Else SHSIM_JWT_SECRET is read.",
)
_claims = together(
    setting(
        "--audience",
        section=KEYS,
        metavar="NAME",
        help="The claim `aud` of a token: minted into it, and demanded by the server.",
    ),
    setting("--issuer", section=KEYS, metavar="NAME", help="The claim `iss`, likewise."),
)


def _at_most(name: str, most: int, what: str) -> Callable[[F], F]:
    return setting(
        name,
        section=WORK,
        metavar="N",
        type=click.IntRange(min=1),
        default=most,
        show_default=True,
        help=f"The most {what}.",
    )


@click.command(
    "serve", cls=Command, epilog=SERVE_EPILOG, short_help="Serve the admin API over HTTP."
)
@options.dsn
@setting(
    "--host",
    section=NETWORK,
    metavar="NAME",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at. Beyond loopback, put a server with TLS in front.",
)
@setting(
    "--port",
    section=NETWORK,
    metavar="N",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen at; 0 takes a free one, which is said on stderr.",
)
@setting(
    "--origins",
    section=NETWORK,
    metavar="URL,...",
    help="Web origins whose pages may call the API (CORS), with commas between.",
    fallback="none",
)
@_secret
@setting(
    "--jwt-public-key",
    section=KEYS,
    metavar="FILE",
    type=click.Path(),
    help="A public key in PEM: RSA (for RS256) or P-256 (for ES256).",
)
@setting(
    "--jwks",
    section=KEYS,
    metavar="FILE",
    type=click.Path(),
    help="A JSON Web Key Set of such keys; a token names one by its `kid`.",
)
@_claims
@setting(
    "--metrics-open",
    section=KEYS,
    is_flag=True,
    help="Let anybody who can connect read /metrics, without a token.",
)
@setting(
    "--concurrency",
    section=WORK,
    metavar="N",
    type=click.IntRange(min=1, max=64),
    default=1,
    show_default=True,
    help="Calibrations, simulations and sweeps at a time.",
)
@setting(
    "--queue",
    section=WORK,
    metavar="N",
    type=click.IntRange(min=0, max=10_000),
    default=16,
    show_default=True,
    help="Those that may wait for their turn.",
)
@_at_most("--most-bytes", 1 << 20, "bytes of a request's body")
@_at_most("--most-n", 10_000_000, "simulated examinees of an iteration or a simulation")
@_at_most("--most-verify-n", 10_000_000, "examinees of a verification")
@_at_most("--most-iters", 1_000, "iterations of a calibration")
@_at_most("--most-items", 100_000, "items of a pool")
@_at_most("--most-points", 100, "points of a sweep")
@_at_most("--most-nodes", 100_000, "quadrature nodes")
@_at_most(
    "--most-work",
    25_000_000_000,
    "items given in all simulated tests of a request: n x iters x test length, say; a"
    " quadrature node counts as an examinee",
)
@_at_most("--most-seconds", 3_600, "seconds that a run may take, once it has begun")
@_at_most("--most-mb", 2_000, "megabytes that expected exposure takes, where it is computed")
@setting(
    "--threads",
    section=WORK,
    metavar="N",
    type=click.IntRange(1, 1024),
    help="Threads of each run; the answer does not depend on it.",
    fallback="the processors but one, shared by the runs",
)
@options.config
@options.messages
def serve(**parameters: Any) -> None:
    """Serve the admin API over HTTP, until SIGTERM or Ctrl-C.

    Items with their exposure, calibrations to start, follow and cancel, past runs and
    rollback, under /v1/admin/exposure, and at / a page for a browser; /health, /ready,
    /metrics and /openapi.json beside them. A running calibration ends with the server,
    and is on record as interrupted. It needs the extra 'api': where that is missing, it
    says what to install.
    """
    from shsim.cli.work.serving import ServeRequest, run_serve

    run_serve(ServeRequest(**parameters))


@click.command(
    "token", cls=Command, epilog=MINTING_EPILOG, short_help="Mint a token for development."
)
@setting(
    "--subject",
    section=TOKEN,
    metavar="NAME",
    default="developer",
    show_default=True,
    help="Who it is for; logs and the ledger name it.",
)
@setting(
    "--role",
    section=TOKEN,
    type=click.Choice(["viewer", "admin"]),
    default="viewer",
    show_default=True,
    help="What it permits.",
)
@setting(
    "--ttl",
    section=TOKEN,
    metavar="SECONDS",
    type=click.IntRange(min=1, max=366 * 86400),
    default=3600,
    show_default=True,
    help="How long it is good for.",
)
@_secret
@_claims
@options.config
@options.messages
def token(**parameters: Any) -> None:
    """Mint a token for development, signed with the server's HS256 secret, on stdout.

    In production tokens come from whoever signs users in. It needs the extra 'api':
    where that is missing, it says what to install.
    """
    from shsim.cli.work.serving import TokenOptions, run_token

    run_token(TokenOptions(**parameters))
