"""How the server writes its log: the front door that starts it says where lines go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol


class Log(Protocol):
    """Writes a line of the server's log."""

    def __call__(
        self,
        level: Literal["info", "warning", "error"],
        event: str,
        message: str,
        fields: Mapping[str, Any] | None = None,
        /,
    ) -> None:
        """Write one line; `fields` stand beside the message where lines are objects."""
