"""The OpenAPI document: complete, and what it says is what the server does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from extras.conftest import Start
from extras.served import PATIENCE, Served, bearing, token

#: Runs that a fuzzer starts are short.
SMALL = ("--most-n", "2000", "--most-verify-n", "2000", "--most-iters", "2", "--most-points", "2")

#: What every route under the prefix may answer.
ALWAYS = {"401", "403", "503"}

#: It reads the token and nothing else, so that no database can be lacking.
WHO_ONE_IS = "/v1/admin/exposure/me"


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{served.url}/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_says_what_it_may_answer(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        assert operation.get("summary"), (path, method)
        assert operation.get("description") or operation["responses"], (path, method)
        if not path.startswith("/v1/"):
            continue
        always = ALWAYS - {"503"} if path == WHO_ONE_IS else ALWAYS
        assert set(operation["responses"]) >= always, (path, method)
        assert operation["security"] == [{"HTTPBearer": []}], (path, method)
        if "requestBody" in operation:
            assert set(operation["responses"]) >= {"400", "413", "422"}, (path, method)


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if status[0] in "45":
                assert list(response["content"]) == ["application/problem+json"], (path, method)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    for name in text.split('"#/components/schemas/')[1:]:
        assert name.split('"')[0] in document["components"]["schemas"]


def test_every_body_is_closed(document: dict[str, Any]) -> None:
    """A misspelled setting is refused, never ignored."""
    schemas = document["components"]["schemas"]
    for path, method, operation in operations(document):
        bodies = json.dumps(operation.get("requestBody", {})).split('"#/components/schemas/')[1:]
        for name in (text.split('"')[0] for text in bodies):
            assert schemas[name]["additionalProperties"] is False, (path, method)
        assert bool(bodies) == ("requestBody" in operation)


def test_every_range_is_spelled_as_json_schema_has_it(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    for word in ("ge", "le", "gt", "lt", "min_length", "max_length"):
        assert f'"{word}": ' not in text
    blueprint = document["components"]["schemas"]["SimulationRequest"]["properties"]["blueprint"]
    assert blueprint["anyOf"][0]["additionalProperties"] is False


def fuzz(served: Served, examples: int, folder: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{served.url}/openapi.json",
            "-H", f"Authorization: Bearer {token('admin', exp=2**32)}",
            "--checks", "all", "--max-examples", str(examples),
            "--generation-database", "none", "--seed", "1",
        ],
        cwd=folder, capture_output=True, text=True, check=False, timeout=20 * PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    assert served.stop() == 0
    assert [line for line in served.lines if line["event"] == "incident"] == []


def test_schemathesis_finds_nothing(start: Start, sqlite_demo_dsn: str, tmp_path: Path) -> None:
    served = start("--dsn", sqlite_demo_dsn, *SMALL)
    fuzz(served, 3, tmp_path)


@pytest.mark.long
def test_schemathesis_finds_nothing_in_long(
    start: Start, postgres_demo_dsn: str, tmp_path: Path
) -> None:
    served = start("--dsn", postgres_demo_dsn, *SMALL)
    fuzz(served, 150, tmp_path)


def test_the_document_is_open_and_the_rest_is_not(served: Served, document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        answer = httpx.request(method, served.url + path.replace("{", "").replace("}", ""))
        if "security" in operation:
            assert answer.status_code == 401, path
    assert httpx.get(served.url + "/openapi.json").status_code == 200
    assert httpx.get(served.url + "/docs").status_code == 401
    assert httpx.get(served.url + "/docs", headers=bearing(token())).status_code == 404
