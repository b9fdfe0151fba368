"""How a Redis is named and reached; `redis` itself is loaded when one is connected to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from shsim.errors import DatabaseError, UsageError
from shsim.extras.allowance import Allowance, bounded
from shsim.extras.installed import require_extra

#: The environment variable that names the Redis of the proposal counters.
VARIABLE = "SHSIM_REDIS_URL"

SPELLINGS = "redis://USER:PASSWORD@HOST:PORT/0, rediss:// for TLS, or unix:///PATH?db=0"

_ENCODE = (
    "A special character of a user or password is percent-encoded:"
    " @ is %40, / is %2F, : is %3A, # is %23, ? is %3F, % is %25."
)
_PORTS = {"redis": 6379, "rediss": 6379}
_KEYS = frozenset({"db", "username", "password"})
_TLS_KEYS = frozenset(
    {"ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs"}
    | {"ssl_check_hostname"}
)
_WHOLE = re.compile(r"[0-9]{1,9}")
_YES = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A Redis, and how to reach it.

    Attributes
    ----------
    label
        The server as people name it, without any password.
    options
        redis-py's own; they may hold a password, and are left out of `repr`.
    tls
        Whether the connection is encrypted.
    """

    label: str
    options: Mapping[str, Any] = field(repr=False)
    tls: bool = False

    @classmethod
    def parse(cls, text: str) -> RedisAddress:
        """Read a URL.

        Raises
        ------
        UsageError
            It is not understood; the message quotes nothing of it, since any part may be a
            piece of a password.
        """
        scheme, _, rest = text.strip().partition("://")
        if scheme not in {*_PORTS, "unix"} or not rest.isprintable():
            raise UsageError(f"{VARIABLE} or --redis names no Redis. Write {SPELLINGS}.")
        place, _, query = rest.partition("?")
        if "#" in rest or "@" in query or _torn(place):
            raise _refusal("there is an @, /, # or ? too many in it")
        try:
            url = urlsplit(f"{scheme}://{rest}")
            port, host = url.port, url.hostname
        except ValueError:  # not chained: its message quotes pieces of the URL
            raise _refusal("its port or its address is none") from None
        options = dict(_from_query(query, tls=scheme == "rediss"))
        for name, value in (("username", url.username), ("password", url.password)):
            if value:
                options[name] = unquote(value)
        user = f"{quote(str(options['username']), safe='')}@" if "username" in options else ""
        if scheme == "unix":
            if not url.path.strip("/") or host:
                raise _refusal("unix:// wants the path of a socket after a third slash")
            options["path"] = unquote(url.path)
            database = options.setdefault("db", 0)
            return cls(f"unix://{user}{options['path']} (database {database})", options)
        path = url.path.strip("/")
        if path and not _WHOLE.fullmatch(path):
            raise _refusal("the database after the host is a whole number, 0 or above")
        options.setdefault("db", int(path or 0))
        options["host"], options["port"] = unquote(host or "localhost"), port or _PORTS[scheme]
        shown = f"[{options['host']}]" if ":" in options["host"] else options["host"]
        label = f"{scheme}://{user}{shown}:{options['port']}/{options['db']}"
        return cls(label, options, tls=scheme == "rediss")

    def connect(self, seconds: float, allowance: Allowance | None = None) -> Any:
        """A client that waits for no answer longer than `seconds`, and tries nothing twice.

        Nothing is sent yet. It may be shared by threads, and used after a fork. Where there is
        an allowance, all that a thread sends and receives stays within it.

        Raises
        ------
        MissingExtraError
            redis-py is not installed.
        UsageError
            It refuses the options.
        """
        require_extra("redis", "counting proposals")
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        kind = redis.SSLConnection if self.tls else redis.Connection
        kind = redis.UnixDomainSocketConnection if "path" in self.options else kind
        chosen = {
            "socket_timeout": seconds,
            "retry": Retry(NoBackoff(), 0),
            # Each line of a handshake is one more answer to wait for.
            "protocol": 2,
            "driver_info": None,
            **self.options,
        }
        if "path" not in self.options:
            chosen["socket_connect_timeout"] = seconds
            chosen["socket_keepalive"] = True
        if self.tls and not (self.options["db"] or self.options.get("password")):
            # TLS 1.3 sends tickets after its handshake, which redis-py takes for stray answers
            # unless one line of its own handshake has read past them: a password's, say.
            chosen["client_name"] = "shsim"
        if allowance is not None:
            kind = bounded(kind, allowance)
        pool = redis.ConnectionPool(connection_class=kind, **chosen)
        try:
            pool.make_connection()
        except (TypeError, ValueError, OSError, redis.RedisError) as error:
            raise _refusal(f"its options are refused ({type(error).__name__})") from None
        return redis.Redis(connection_pool=pool)

    def blame(self, error: BaseException) -> str:
        """What went wrong, in words without the password."""
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        secret = str(self.options.get("password", ""))
        for spelling in {secret, quote(secret, safe="")} - {""}:
            words = words.replace(spelling, "***")
        return words.rstrip(".")

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Within this, an error of Redis is a `DatabaseError` of one line."""
        import redis

        try:
            yield
        except (redis.RedisError, OSError) as error:
            raise DatabaseError(
                f"Redis at {self.label}: {self.blame(error)}. See that it runs and that"
                f" {VARIABLE} or --redis names it, then run again."
            ) from None


def _torn(place: str) -> bool:
    """Whether a raw / or @ of a password has torn user, host and path apart."""
    authority, _, path = place.partition("/")
    return "@" in path or authority.count("@") > 1


def _refusal(why: str) -> UsageError:
    return UsageError(f"{VARIABLE} or --redis: {why}. Write {SPELLINGS}. {_ENCODE}")


def _from_query(query: str, *, tls: bool) -> Iterator[tuple[str, Any]]:
    """The options after the question mark that we know."""
    known = _KEYS | _TLS_KEYS if tls else _KEYS
    for name, values in parse_qs(query, keep_blank_values=True).items():
        value = values[-1]
        if name not in known:
            raise _refusal(f"after the ? may stand {', '.join(sorted(known))} and nothing else")
        if name == "db":
            if not _WHOLE.fullmatch(value):
                raise _refusal("db is a whole number, 0 or above")
            yield name, int(value)
        elif name == "ssl_check_hostname":
            if value.lower() not in _YES:
                raise _refusal("ssl_check_hostname is true or false")
            yield name, _YES[value.lower()]
        else:
            yield name, value
