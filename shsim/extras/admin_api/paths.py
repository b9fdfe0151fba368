"""Where things stand under the server's address."""

from __future__ import annotations

#: Everything that needs a token. A router is made with it (`APIRouter(prefix=PREFIX)`), not
#: included under it: else FastAPI tells the labels of metrics the path without it.
PREFIX = "/v1/admin/exposure"
