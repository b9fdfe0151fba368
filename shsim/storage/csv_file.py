"""Reading a pool from a CSV file, or from what another program pipes in."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import BinaryIO

from shsim.errors import DataError
from shsim.model.item_pool import ItemPool
from shsim.storage.json_file import looks_like_json, read_json_pool
from shsim.storage.pool_text import PoolText, header_problems, header_remedy

#: The longer ones first, since one begins like another.
_BYTE_ORDER_MARKS = {
    b"\xff\xfe\0\0": "UTF-32",
    b"\0\0\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def read_pool(source: str | Path | BinaryIO, name: str | None = None) -> ItemPool:
    """Read a pool from CSV, or from the JSON that `shsim export --format json` writes.

    Parameters
    ----------
    source
        A file (``-`` is the standard input), or a stream of bytes.
    name
        What the pool and its messages are called: by default the path as given.

    Returns
    -------
    ItemPool
        Its `k_stored` is False where the file has no `sh_p`.

    Raises
    ------
    DataError
        The file cannot be read, has wrong columns or bad rows: every problem of it.
    """
    if isinstance(source, str):
        source = sys.stdin.buffer if source == "-" else Path(source)
    if name is None:
        name = str(source) if isinstance(source, Path) else "standard input"
    text = decoded(read_bytes(source, name), name)
    if looks_like_json(text):
        return read_json_pool(text, name)
    return _read_csv(text, name)


def read_bytes(source: Path | BinaryIO, name: str) -> bytes:
    """The whole of a file or stream; one line where it cannot be read."""
    try:
        return source.read_bytes() if isinstance(source, Path) else source.read()
    except OSError as error:
        raise DataError(
            f"{name}: it cannot be read: {error.strerror}. Give a file that can."
        ) from error
    except ValueError as error:  # a path with a NUL
        raise DataError(f"{name!a}: it is no path. Give a file that can be read.") from error


def decoded(data: bytes, name: str) -> str:
    """The text of UTF-8 bytes, with or without a byte order mark."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            raise DataError(f"{name}: it is written in {encoding}. Save it as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}:{line}: byte 0x{data[error.start]:02x} is not UTF-8. Save the file as UTF-8."
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{name}:{line}: there is a NUL byte in it. Save it as UTF-8 text.")
    return text


def _read_csv(text: str, name: str) -> ItemPool:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    header: list[str] | None = None
    ragged: list[tuple[int, str]] = []
    try:
        for fields in reader:
            if not fields:
                continue
            if header is None:
                header = _header(fields, name)
                continue
            if len(fields) != len(header):
                ragged.append((len(rows), _ragged(f"{name}:{reader.line_num}", fields, header)))
                # Its fields belong to no column for certain; the row is checked once mended.
                continue
            lines.append(reader.line_num)
            rows.append(fields)
    except csv.Error as error:
        raise DataError(
            f"{name}:{reader.line_num}: it is not CSV: {error}. Correct the row and run again."
        ) from error
    if header is None:
        raise DataError(f"{name}: it is empty. {header_remedy()}")
    columns = dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else {}
    if not rows and ragged:
        raise DataError([sentence for _, sentence in ragged])
    return PoolText(
        name,
        columns,
        len(rows),
        lambda row: f"{name}:{lines[row]}",
        [(row - 0.5, sentence) for row, sentence in ragged],
    ).pool()


def _header(fields: list[str], name: str) -> list[str]:
    names = [field.strip() for field in fields]
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise DataError(
            f"{name}:1: the columns are not separated by commas. Save the file as CSV with commas."
        )
    problems = header_problems(names)
    if problems:
        raise DataError([f"{name}:1: {problem} {header_remedy()}" for problem in problems])
    return names


def _ragged(place: str, fields: list[str], header: list[str]) -> str:
    return (
        f"{place}: it has {len(fields)} fields and the header {len(header)}."
        " Correct the row and run again."
    )
