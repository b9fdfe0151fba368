"""What tests of computing requests share: a small run, a long one, and following events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

PREFIX = "/v1/admin/exposure"

#: Over at once, since the cap is held as `tol` has it; the same to the command line.
QUICK = {
    "exam_code": "DEMO-EXAM", "tau": 0.4, "tol": 0.2, "n": 2000, "iters": 3, "verify_n": 20_000,
    "seed": 1,
}  # fmt: skip
QUICK_OPTIONS = (
    "--tau", "0.4", "--tol", "0.2", "--n", "2000", "--iters", "3", "--verify-n", "20000",
    "--seed", "1", "--len", "25",
)  # fmt: skip

#: Goes on for as long as a test wants it to: one iteration after another, and no end in sight.
ENDLESS = {**QUICK, "n": 100_000, "iters": 1000, "tol": 1e-9, "decay": 0.0}


def begin(client: httpx.Client, **settings: Any) -> str:
    """Start a calibration; where it stands."""
    answer = client.post(f"{PREFIX}/calibrations", json=settings)
    assert answer.status_code == 202, answer.text
    location = answer.headers["location"]
    assert location == f"{PREFIX}/calibrations/{answer.json()['id']}"
    return location


def events(
    client: httpx.Client, location: str, after: int | None = None
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Number, name and data of each event, to the last."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    with client.stream("GET", f"{location}/events", headers=headers) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in stream.iter_lines():
            if line and not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                yield int(fields["id"]), fields["event"], json.loads(fields["data"])
                fields = {}


def wait_for(client: httpx.Client, location: str, wanted: str) -> dict[str, Any]:
    """The data of the first event of a name."""
    return next(data for _, name, data in events(client, location) if name == wanted)


def outcome(client: httpx.Client, location: str) -> dict[str, Any]:
    """Follow it to its end; how it ended, and what came out."""
    end = wait_for(client, location, "end")
    told: dict[str, Any] = client.get(location).json()
    assert told["state"] == end["state"]
    return told
