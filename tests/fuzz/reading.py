"""Readers that share no code with shsim's: the csv, json and tomllib modules, int and float."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

from psycopg2 import ProgrammingError
from psycopg2.extensions import parse_dsn

#: question_id, version, topic_id, a, b, c, d, sh_p
Row = tuple[int, int, int | None, float, float, float, float, float | None]


def pool(data: bytes) -> list[Row]:
    """The items of a pool in CSV or JSON, in the order of their ids."""
    text = data.decode("utf-8-sig")
    if text.lstrip()[:1] in {"{", "["}:
        document = json.loads(text)
        items = document["items"] if isinstance(document, dict) else document
        return sorted((_row(item) for item in items), key=lambda row: row[:2])
    lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    names = [name.strip() for name in lines[0]]
    return sorted(
        (_row(dict(zip(names, line, strict=True))) for line in lines[1:]), key=lambda row: row[:2]
    )


def printed(items: list[dict[str, Any]]) -> list[Row]:
    """Items as shsim printed them; a k of 1 may be one that was not there."""
    return [_row(item) for item in items]


def _row(item: dict[str, Any]) -> Row:
    return (
        _whole(item["question_id"]),
        _whole(_given(item, "version", 1)),
        None if (topic := _given(item, "topic_id", None)) is None else _whole(topic),
        _float(item["a"]),
        _float(item["b"]),
        _float(item["c"]),
        _float(_given(item, "d", 1)),
        _float(_given(item, "sh_p", 1)),
    )


def _given(item: dict[str, Any], name: str, default: Any) -> Any:
    value = item.get(name)
    return default if value is None or (isinstance(value, str) and not value.strip()) else value


def _whole(value: Any) -> int:
    if not re.fullmatch(r"[ \t\r\n\f\v]*[-+]?[0-9]+[ \t\r\n\f\v]*", str(value)):
        raise ValueError(f"{value!r} is no whole number")
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, bool) or not str(value).isascii() or "_" in str(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def imported(database: Path, exam: str) -> list[Row]:
    """What stands in a SQLite file under an exam."""
    with closing(sqlite3.connect(database)) as db:
        rows = db.execute(
            "SELECT p.question_id, p.live_version, v.topic_id, coalesce(c.a, 1), coalesce(c.b, 0),"
            " coalesce(c.c, .2), 1.0, coalesce(k.sh_p, 1.0) FROM question_publications p"
            " JOIN question_versions v ON v.question_id = p.question_id"
            " AND v.version = p.live_version"
            " LEFT JOIN item_calibration c ON c.question_id = p.question_id"
            " AND c.version = p.live_version"
            " LEFT JOIN item_exposure_control k ON k.question_id = p.question_id"
            " AND k.version = p.live_version WHERE p.exam_code = ? ORDER BY 1, 2",
            (exam,),
        ).fetchall()
    return [tuple(row) for row in rows]  # type: ignore[misc]


def theta(word: str) -> tuple[str, list[float]]:
    """A distribution's kind and its numbers."""
    kind = re.match(r"\s*([A-Za-z]+)", word)
    if kind is None:
        raise ValueError(word)
    rest = word[kind.end() :].strip().removeprefix(":")
    return kind[1].lower(), [_float(piece.strip()) for piece in rest.split(",")]


def config(data: bytes, command: str) -> dict[str, Any]:
    """What a TOML file says for a command, under the settings' names."""
    document = tomllib.loads(data.decode("utf-8"))
    chosen = {key: value for key, value in document.items() if not isinstance(value, dict)}
    chosen |= document.get(command, {})
    known = {key.replace("_", "-"): value for key, value in chosen.items()}
    names = {"len": "length", "test-len": "length"}
    return {names.get(key, key): value for key, value in known.items()}


def blueprint(data: bytes) -> dict[str, Any]:
    """The least and the most of each topic."""
    topics = tomllib.loads(data.decode("utf-8"))["topics"]
    return {
        name if name == "none" else str(int(name)): {
            "least": rule.get("least", 0), "most": rule.get("most"),
        }
        for name, rule in topics.items()
    }  # fmt: skip


def abilities(data: bytes) -> list[float]:
    """One ability a line; what follows a # is no part of it."""
    lines = (line.split("#")[0].strip() for line in data.decode("utf-8-sig").splitlines())
    return [_float(line) for line in lines if line]


def stays_here(dsn: str) -> bool:
    """Whether a DSN names no host beyond this machine, and no name to look up."""
    stripped = dsn.strip()
    url = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", stripped)
    try:
        hosts = parse_dsn(url)
    except (ProgrammingError, UnicodeError, ValueError):
        return True
    named = ",".join(hosts.get(name, "") for name in ("host", "hostaddr")).split(",")
    return all(not host or host.startswith(("/", "@", "127.0.0.")) for host in named)
