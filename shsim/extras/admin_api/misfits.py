"""Requests that are not as the OpenAPI document has them: what is wrong, field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from email.message import Message
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse

from shsim.extras.admin_api.problems import Problem
from shsim.extras.admin_api.wording import field_of

#: Fields that are named, and characters of a name that are shown: what was sent may be long.
_MOST_NAMED, _MOST_SHOWN = 20, 80

_SCHEMA = re.compile(r'"#/components/schemas/(\w+)"')

#: Where parameters stand, in problems and in the document.
_QUERY = "query"

#: What pydantic's sentences say to programmers, said to clients.
_SAID: Mapping[str, str] = {
    "model_attributes_type": "It should be a JSON object",
    "dict_type": "It should be a JSON object",
    "list_type": "It should be a JSON list",
    "string_type": "It should be text",
    "bool_type": "It should be true or false",
}

#: How pydantic names a key, in place of what stands under it.
_KEY = "[key]"


def add_misfit_handler(app: FastAPI) -> None:
    """Answer 422 to what does not fit the document."""
    app.add_exception_handler(RequestValidationError, _answer)


async def known_parameters(request: Request) -> None:
    """A dependency of every route of the API: parameters that it has not are refused.

    Raises
    ------
    RequestValidationError
        A misspelled parameter would be ignored, and the answer another than was asked for.
    """
    strange = set(request.query_params) - set(_parameters(request))
    if strange:
        raise RequestValidationError(
            [{"type": "extra_forbidden", "loc": (_QUERY, name)} for name in sorted(strange)]
        )


async def _answer(request: Request, fault: Exception) -> JSONResponse:
    assert isinstance(fault, RequestValidationError)  # noqa: S101 - registered for nothing else
    found = fault.errors()
    errors = [_described(each, request) for each in found[:_MOST_NAMED]]
    detail = " ".join(f"{each['pointer']}: {each['detail']}" for each in errors)
    if len(found) > _MOST_NAMED:
        detail += f" And {len(found) - _MOST_NAMED:,} more."
    return Problem(422, detail, errors=errors).response()


def _described(error: Mapping[str, Any], request: Request) -> dict[str, str]:
    place: Sequence[Any] = error["loc"]
    if error["type"] == "json_invalid":
        # Its place is the character, which is no field's name.
        said = f"It is no JSON: {error['ctx']['error']}, at character {place[-1]}."
        return {"pointer": "body", "detail": said}
    return {
        "pointer": "/".join(_shown(str(each)) for each in place if each != _KEY),
        "detail": _sentence(error, request),
    }


def _sentence(error: Mapping[str, Any], request: Request) -> str:
    # What was sent is not sent back: it may be long, or a secret in the wrong field.
    place, kind = error["loc"], error["type"]
    if kind == "extra_forbidden":
        what = "parameter" if place[0] == _QUERY else "field"
        return f"There is no such {what}.{_suggestion(place, request)}"
    if place == ("body",) and not _is_json(request):
        return "It is read as JSON alone. Send the header Content-Type: application/json with it."
    if kind in _SAID:
        return f"{_SAID[kind]}{_example(place, request)}."
    said = str(error["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."


def _example(place: Sequence[Any], request: Request) -> str:
    """How the document has a field of the body that holds more than one value."""
    if len(place) != 2:
        return ""
    for schema in _bodies(request):
        for example in schema.get("properties", {}).get(place[-1], {}).get("examples", ()):
            return f", such as {json.dumps(example)}"
    return ""


def _is_json(request: Request) -> bool:
    header = Message()
    header["content-type"] = request.headers.get("content-type", "application/octet-stream")
    kind = header.get_content_subtype()
    return header.get_content_maintype() == "application" and (
        kind == "json" or kind.endswith("+json")
    )


def _suggestion(place: Sequence[Any], request: Request) -> str:
    """The fields that may be meant, by their names or those of the command's options."""
    name = field_of(str(place[-1])[:_MOST_SHOWN])
    known = _known(place, request)
    near = [name] if name in known else get_close_matches(name, known, n=2)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def _known(place: Sequence[Any], request: Request) -> list[str]:
    """Parameters, the body's fields, or those of what stands in them, as the document has them."""
    if place[0] == _QUERY:
        return _parameters(request)
    found = _bodies(request)
    if len(place) > 2:
        found = _referred(found, request)
    return [name for schema in found for name in schema.get("properties", ())]


def _parameters(request: Request) -> list[str]:
    """What the route takes behind the question mark."""
    parameters = _operation(request).get("parameters", ())
    return [each["name"] for each in parameters if each["in"] == _QUERY]


def _operation(request: Request) -> Mapping[str, Any]:
    """The route, as the document has it."""
    paths = request.app.openapi()["paths"]
    found: Mapping[str, Any] = paths[request.scope["route"].path][request.method.lower()]
    return found


def _bodies(request: Request) -> Iterable[Mapping[str, Any]]:
    return _referred(_operation(request).get("requestBody"), request)


def _referred(part: Any, request: Request) -> Iterable[Mapping[str, Any]]:
    schemas = request.app.openapi()["components"]["schemas"]
    return [schemas[name] for name in _SCHEMA.findall(json.dumps(part))]


def _shown(name: str) -> str:
    return name if len(name) <= _MOST_SHOWN else f"{name[:_MOST_SHOWN]}..."
