"""What every request is served with: one of each a server."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import HTTPConnection

from shsim.extras.admin_api.changes import Changes
from shsim.extras.admin_api.log import Log
from shsim.extras.admin_api.metrics import Metrics
from shsim.extras.admin_api.settings import ServerSettings
from shsim.extras.admin_api.stores import StorePool


@dataclass(slots=True, kw_only=True)
class Services:
    """What every request is served with.

    Attributes
    ----------
    settings
        As the server was started.
    stores
        Open stores, for requests that read; a request that writes opens one of its own.
    metrics
        What `/metrics` tells.
    log
        Where lines go.
    changes
        Through which k are changed by hand.
    on_stop
        Called once, in the event loop, as soon as the server is told to stop: what runs
        long must end by itself then.
    cut_short
        Runs that had not ended when the server did.
    """

    settings: ServerSettings
    stores: StorePool
    metrics: Metrics
    log: Log
    changes: Changes = field(default_factory=Changes)
    on_stop: list[Callable[[], None]] = field(default_factory=list)
    cut_short: int = 0

    def stop(self) -> None:
        """Tell what runs long to end; each is told once."""
        while self.on_stop:
            self.on_stop.pop()()

    def incident(self, cause: str, path: str, **fields: Any) -> str:
        """Log a cause that the client is not told; the number that both are told."""
        number = secrets.token_hex(6)
        self.log(
            "error",
            "incident",
            f"incident {number} at {path}: {cause}",
            {"incident": number, "path": path, **fields},
        )
        return number

    def without_names(self, sentence: str) -> str:
        """A sentence of ours without the names of host, database and user."""
        return sentence.replace(self.stores.label, "the database")


def services_of(connection: HTTPConnection) -> Services:
    """The services of the server that a request came to."""
    services = connection.app.state.services
    assert isinstance(services, Services)  # noqa: S101 - create_app puts it there
    return services
