"""What the admin API is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from shsim.extras.admin_api.keys import Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that a request may ask for.

    Attributes
    ----------
    body_bytes
        Length of a request's body.
    n, verify_n
        Simulated examinees: of an iteration or a simulation, and of a verification.
    iters
        Iterations of a calibration.
    items
        Items of a pool.
    points
        Points of a sweep.
    nodes
        Quadrature nodes.
    work
        Items that all simulated tests of a request are given; a node counts as an examinee.
    seconds
        Time that a run may take, once it has begun.
    mb
        Megabytes that expected exposure takes, where it is computed.
    """

    body_bytes: int = 1 << 20
    n: int = 10_000_000
    verify_n: int = 10_000_000
    iters: int = 1_000
    items: int = 100_000
    points: int = 100
    nodes: int = 100_000
    work: int = 25_000_000_000
    mb: int = 2_000
    seconds: int = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """Where to listen, whom to admit, and how much to do at a time.

    Attributes
    ----------
    dsn
        The database; never shown.
    host, port
        Where to listen; port 0 takes a free one.
    keys
        What tokens are verified with.
    audience, issuer
        What `aud` and `iss` of a token must be; None: anything.
    origins
        Web origins whose pages may call the API (``https://qbank.example``).
    metrics_open
        Whether `/metrics` needs no token.
    concurrency
        Calibrations, simulations and sweeps computed at a time.
    queue
        Those that may wait for their turn.
    threads
        Threads of each; None: the processors but one, shared by them.
    limits
        The most that a request may ask for.
    """

    dsn: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    keys: Keys = field(repr=False)
    audience: str | None = None
    issuer: str | None = None
    origins: tuple[str, ...] = ()
    metrics_open: bool = False
    concurrency: int = 1
    queue: int = 16
    threads: int | None = None
    limits: Limits = field(default_factory=Limits)
