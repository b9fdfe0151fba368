"""Malformed input of every kind: a plain message and its exit code, nothing written, no traceback.

What shsim takes all the same it must have read as a reader does that shares no code with it.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from front_door import Ended
from fuzz.conftest import Door
from fuzz.surfaces import BLUEPRINTS, CONFIGS, POOL, SURFACES, Folder, Start, Surface

pytestmark = pytest.mark.compiled

#: Seconds that an ordinary run gives each surface: 6 in all; and inputs that it takes at least.
SECONDS, AT_LEAST = 6 / len(SURFACES), 20

#: Malformed inputs of each surface in a long run: 10^5 in all.
LONG = -(-(10**5) // len(SURFACES))

#: What a terminal acts on, and what cannot be written.
ACTIVE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
LONGEST_LINE, MOST_LINES = 4000, 60
NAMES = [surface.name for surface in SURFACES]


def files(folder: Folder) -> dict[str, bytes]:
    """What no malformed input may change."""
    there = sorted(path for path in folder.path.iterdir() if path != folder.input)
    return {path.name: path.read_bytes() for path in there}


def fault_of(surface: Surface, folder: Folder, what: object, ended: Ended) -> str | None:
    """What shsim did wrong."""
    lines = ended.err.splitlines()
    if (
        ACTIVE.search(ended.err)
        or len(lines) > MOST_LINES
        or max(map(len, lines), default=0) > LONGEST_LINE
    ):
        return "stderr is not plain"
    if ended.code == 0:
        try:
            return None if surface.same(folder, what, ended.out) else "it was read otherwise"
        except Exception as error:  # noqa: BLE001 - a reader's, whichever
            return f"it was taken, and is none: {error!r}"
    if ended.code not in surface.codes:
        return f"exit code {ended.code}"
    if ended.out:
        return "stdout has something"
    plain = all(line.startswith(("shsim: ", '{"time"')) for line in lines)
    return None if lines and plain else "no plain message"


def meet(surface: Surface, folder: Folder, door: Door, number: int, sound: dict[str, bytes]) -> int:
    """Meet one damaged input; the exit code."""
    rng = random.Random(f"{surface.name} {number}")  # noqa: S311 - the same again
    what = surface.make(rng)
    ended = door(surface.start(folder, what))
    fault = fault_of(surface, folder, what, ended)
    if ended.code != 0 and fault is None and files(folder) != sound:
        fault = "something was written"
    assert fault is None, f"{surface.name} {number}: {fault}\n{what!r}\n{ended}"
    for name, content in sound.items():
        if ended.code == 0 and (folder.path / name).read_bytes() != content:
            (folder.path / name).write_bytes(content)
    return ended.code


@pytest.mark.parametrize("surface", SURFACES, ids=NAMES)
def test_malformed_input_is_refused(surface: Surface, folder: Folder, door: Door) -> None:
    sound, number = files(folder), 0
    deadline = time.monotonic() + SECONDS
    while number < AT_LEAST or time.monotonic() < deadline:
        meet(surface, folder, door, number, sound)
        number += 1


@pytest.mark.long
@pytest.mark.parametrize("surface", SURFACES, ids=NAMES)
def test_a_hundred_thousand_malformed_inputs(
    surface: Surface, folder: Folder, door: Door, record_property: pytest.RecordProperty
) -> None:
    sound, number = files(folder), 0
    codes: Counter[int] = Counter()
    while codes.total() - codes[0] < LONG:
        codes[meet(surface, folder, door, number, sound)] += 1
        number += 1
    print(f"{surface.name}: exit codes {dict(sorted(codes.items()))}")  # noqa: T201 - for the record


@pytest.mark.parametrize("surface", SURFACES, ids=NAMES)
@pytest.mark.parametrize(
    "number", [0, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 12))]
)
def test_a_process_says_the_same(
    surface: Surface, number: int, folder: Folder, door: Door, process: Door
) -> None:
    rng = random.Random(f"process {surface.name} {number}")  # noqa: S311
    start = surface.start(folder, surface.make(rng))
    sound = files(folder)
    alone = process(start)
    for name, content in sound.items():
        (folder.path / name).write_bytes(content)
    beside = door(start)
    assert (alone.code, ACTIVE.search(alone.err)) == (beside.code, None)
    if "seed" not in beside.err and "log-format" not in str(start):
        assert alone.err == beside.err


MEGABYTES = 10**7
HUGE = {
    "a field": (("--pool",), POOL.replace(b"-1", b"9" * MEGABYTES)),
    "a quoted field": (("--pool",), POOL + b'"' + b"x" * MEGABYTES),
    "a column": (("--pool",), b"x" * MEGABYTES + POOL),
    "a header of commas": (("--pool",), b"," * MEGABYTES + POOL),
    "nested JSON": (("--pool",), b"[" * MEGABYTES),
    "a JSON number": (("--pool",), b'[{"question_id": ' + b"9" * MEGABYTES + b"}]"),
    "a JSON key": (("--pool",), b'[{"' + b"x" * MEGABYTES + b'": 1}]'),
    "a TOML key": (("--config",), b"x" * MEGABYTES + b" = 1\n" + CONFIGS[0]),
    "a TOML string": (("--config",), b'tau = "' + b"x" * MEGABYTES + b'"\n'),
    "a TOML table": (("--config",), b"[" + b"x" * MEGABYTES + b"]\n"),
    "a topic": (("--blueprint",), BLUEPRINTS[0] + b"[topics." + b"9" * MEGABYTES + b"]\n"),
    "an ability": (("--theta",), b"1\n" + b"9" * MEGABYTES),
    "abilities": (("--theta",), b"x\n" * (MEGABYTES // 20)),
}  # fmt: skip


@pytest.mark.parametrize("what", HUGE)
def test_ten_megabytes_of_nonsense(what: str, folder: Folder, door: Door, tmp_path: Path) -> None:
    (option,), data = HUGE[what]
    folder.input.write_bytes(data)
    pool = [] if option == "--pool" else ["--pool", folder.pool]
    value = f"file:{folder.input}" if option == "--theta" else str(folder.input)
    sound = files(folder)
    ended = door(Start(["simulate", "--len", "2", "--n", "10", option, value, *pool]))
    assert (ended.code, ended.out) == (2 if option == "--config" else 3, "")
    lines = ended.err.splitlines()
    assert lines
    assert max(map(len, lines)) <= LONGEST_LINE
    assert len(lines) <= MOST_LINES
    assert files(folder) == sound


def test_an_empty_dsn_is_no_default(folder: Folder, door: Door) -> None:
    for arguments in (("--dsn", ""), ("--dsn", " ")):
        ended = door(Start(["export", "--exam", "DEMO-EXAM", *arguments]))
        assert (ended.code, ended.out) == (2, "")
        assert "--dsn is empty" in ended.err
