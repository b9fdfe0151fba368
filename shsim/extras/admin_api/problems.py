"""Errors as `application/problem+json` (RFC 9457), without internals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match

from shsim.errors import (
    CapNotHeldError,
    DatabaseError,
    DataError,
    ExamBusyError,
    NotFoundError,
    RefusedError,
    ShsimError,
    UnsettledError,
    UsageError,
)
from shsim.extras.admin_api.paths import PREFIX
from shsim.extras.admin_api.services import Services, services_of
from shsim.extras.admin_api.wording import in_fields

MEDIA_TYPE = "application/problem+json"

#: The first that fits decides.
_STATUS: tuple[tuple[type[ShsimError], int], ...] = (
    (NotFoundError, 404),
    (DataError, 422),
    (UsageError, 422),
    (RefusedError, 409),
    (CapNotHeldError, 409),
)

#: What nobody reads to its end, and its beginning.
_LONG_NUMBER = re.compile(r"(\d{20})\d{20,}")

#: Seconds after which a client may try again, where the fault may pass by itself.
_RETRY_AFTER = "5"


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    pointer: str = Field(description="Where: `body/tau`, `query/limit`.")
    detail: str


class ProblemDetails(BaseModel):
    """RFC 9457: what went wrong, and what to do."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = Field(None, description="One a field that is wrong.")
    calibration: str | None = Field(None, description="The one that is in the way.")
    incident: str | None = Field(None, description="Stands in the server's log beside the cause.")


class Problem(Exception):  # noqa: N818 - it is an answer
    """An answer that is an error."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more

    def body(self) -> dict[str, Any]:
        """What the answer says."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }

    def response(self) -> JSONResponse:
        """The answer, to be awaited as an ASGI application."""
        return JSONResponse(self.body(), self.status, self.headers, media_type=MEDIA_TYPE)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route that may end in these errors, for the OpenAPI document."""
    schema = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def problem_schemas() -> dict[str, Any]:
    """What `problem_responses` refers to."""
    schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), ProblemDetails.__name__: schema}


def add_handlers(app: FastAPI) -> None:
    """Answer exceptions by problems; see `misfits` and `traffic` for the others."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ShsimError, _ours)


def contradiction(fault: DataError) -> Problem:
    """Settings that each are as the schema has them, and don't fit together, or the exam."""
    return Problem(409, _LONG_NUMBER.sub(r"\1...", in_fields(str(fault))))


def of_fault(fault: ShsimError, services: Services, where: str) -> Problem:
    """What a client may know of one of our own faults; the log gets the rest, and `where`."""
    if isinstance(fault, ExamBusyError):
        # Who holds it, and from where, is said to operators alone.
        detail = (
            f"{fault.exam} is in use: another run, or change of k, has it."
            " Nothing was written. Try again later."
        )
        return Problem(409, detail, headers={"Retry-After": _RETRY_AFTER})
    for kind, status in _STATUS:
        if isinstance(fault, kind):
            return Problem(status, in_fields(services.without_names(str(fault))))
    incident = services.incident(str(fault), where)
    if isinstance(fault, UnsettledError):
        # No Retry-After: whoever tries again by itself might do it twice.
        return Problem(
            503,
            "The connection to the database went while this was being saved: all of it stands, or"
            f" nothing. See which: GET {PREFIX}/runs",
            incident=incident,
        )
    if isinstance(fault, DatabaseError):
        return Problem(
            503,
            "The database is out of reach, or refuses. Nothing was changed.",
            headers={"Retry-After": _RETRY_AFTER},
            incident=incident,
        )
    return Problem(500, "The server has met a fault of its own.", incident=incident)


async def _problem(_request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, Problem)  # noqa: S101 - registered for nothing else
    return fault.response()


async def _http(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, HTTPException)  # noqa: S101
    said = {
        400: "The request's body cannot be read as JSON: it is no UTF-8, or too deep, or a number"
        " is too long.",
        404: "There is no such path.",
        405: "The path does not take this method.",
        413: "The request's body is longer than the server takes.",
    }
    detail = said.get(fault.status_code, str(fault.detail))
    headers = dict(fault.headers or {})
    if fault.status_code == 405:
        headers["Allow"] = ", ".join(_methods(request))
    return Problem(fault.status_code, detail, headers=headers).response()


def _methods(request: Request) -> Iterator[str]:
    """The methods that a path takes: Starlette names those of the first route alone."""
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        scope = {"type": "http", "path": request.scope["path"], "root_path": "", "method": method}
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes):
            yield method


async def _ours(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, ShsimError)  # noqa: S101
    return of_fault(fault, services_of(request), request.url.path).response()
