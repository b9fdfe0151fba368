"""JSON that has been written already, as an answer."""

from __future__ import annotations

from starlette.responses import Response


class JsonText(Response):
    """Sends a text of JSON as it is."""

    media_type = "application/json"
