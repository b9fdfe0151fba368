"""Reading a pool from JSON: what `shsim export --format json` writes."""

from __future__ import annotations

import json
from typing import Any

from shsim.errors import DataError
from shsim.model.item_pool import COLUMNS, ItemPool
from shsim.storage.pool_text import PoolText, header_problems, header_remedy


def looks_like_json(text: str) -> bool:
    """Whether the text begins as JSON does, and as no header of a CSV file can."""
    return text.lstrip()[:1] in {"{", "["}


def read_json_pool(text: str, name: str) -> ItemPool:
    """The pool of ``{"items": [{"question_id": ..., "a": ...}, ...]}``, or of the bare list.

    Raises
    ------
    DataError
        It is no JSON, holds no items, or bad ones: every problem of it.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(
            f"{name}:{error.lineno}: it is not JSON: {error.msg}. Correct it and run again."
        ) from error
    except (RecursionError, ValueError) as error:  # nested, or a number, beyond all reason
        raise DataError(f"{name}: it is not a pool in JSON. Export it anew.") from error
    items = document.get("items") if isinstance(document, dict) else document
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise DataError(
            f'{name}: it holds no list of items. Write {{"items": [{{"question_id": 1, "a": 1,'
            ' "b": 0, "c": 0.2}]}.'
        )
    names = list(dict.fromkeys(key for item in items for key in item))
    problems = header_problems(names) if items else []
    if problems:
        raise DataError([f"{name}: {problem} {header_remedy()}" for problem in problems])
    fields = {
        column: [_field(item.get(column)) for item in items]
        for column in COLUMNS
        if column in names
    }
    return PoolText(name, fields, len(items), lambda row: f"{name}: items[{row}]").pool()


def _field(value: Any) -> str:
    """A JSON value as a CSV file would have it."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
