"""Valid inputs, damaged: the same number gives the same damage."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

#: What may stand where a number is wanted, most of it none.
NUMBERS = (
    "1e400", "-1e400", "nan", "NaN", "-nan", "inf", "-Infinity", "0x1p3", "0x10", "1_000", "_1",
    "\uff11\uff12", "\u0663", "\u00bd", "\u221e", "-0", "-0.0", "+0", "1e-400", "9" * 25,
    "9" * 5000, "-" + "9" * 40,
    "1,5", "", " ", "+", "-", "e", "1e", "1e+", ".", "1.", ".5", "--1", "1-", "1j",
    "0b1", "0o7", "1e5", "1E+5", " 1 ", "true", "None", "null", "1.0", "9223372036854775807",
    "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1e308", "5e-324", "0",
    "1/2", "1%", "$1", "1\u00a0000", "\u22121", "1d5", "NULL", "N/A", "#REF!", "1;2", "'1'", '"1"',
)  # fmt: skip

#: What a name, a field or a line may hold.
HOSTILE = (
    "\0", "\x1b[31m", "\x1b]0;x\x07", "\r", "\n", "\r\n", "\t", "\x7f", "\x85", "\u2028", "\u202e",
    "\u200f", "\ufeff", "'; DROP TABLE question_publications; --", '"', "'", '"""', "\\", "%s",
    "%n",
        "{}", "{0.__class__}", "${HOME}", "$(id)", "`id`", "=1+1", "../../etc/passwd", "\U0001f600",
    "a\u0301", "\u0130", "<script>", "&amp;", "#", ";", "|", ",", ",,,", ":", "::", "=", "[", "]]",
    "{", "}", "[[", "-", "--", "--help", "@", "/", "//", "?", "&", "\x01", "\x1f",
)  # fmt: skip

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7", "cp037")

Mutation = Callable[[random.Random, bytes], bytes]


def _flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data or b"x")
    for _ in range(rng.randint(1, 3)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _byte(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + bytes([rng.randrange(256)]) + data[at + rng.randint(0, 1) :]


def _truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randint(0, len(data))]


def _delete(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + data[at + rng.randint(1, 12) :]


def _repeat(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    piece = data[at : at + rng.randint(1, 30)]
    return data[:at] + piece * rng.randint(2, 50) + data[at:]


def _number(rng: random.Random, data: bytes) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return _insert(rng, data)
    start, end = rng.choice(found).span()
    return data[:start] + rng.choice(NUMBERS).encode() + data[end:]


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(HOSTILE).encode() + data[at:]


def _line(rng: random.Random, data: bytes) -> bytes:
    """Two lines change places, or one stands there twice: the header among them."""
    lines = data.splitlines(keepends=True) or [b""]
    first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
    if rng.random() < 0.5:
        lines[first], lines[second] = lines[second], lines[first]
    else:
        lines.insert(first, lines[second])
    return b"".join(lines)


def _word(rng: random.Random, data: bytes) -> bytes:
    """A word is doubled, cut, or turned to capitals; a column's name, say."""
    words = list(re.finditer(rb"[A-Za-z_]+", data))
    if not words:
        return _insert(rng, data)
    start, end = rng.choice(words).span()
    word = data[start:end]
    other = rng.choice([word.upper(), word * 2, word[:-1], b"", word[::-1], word + b"\xe9"])
    return data[:start] + other + data[end:]


def _separator(rng: random.Random, data: bytes) -> bytes:
    mark = rng.choice([b",", b"\n", b'"', b"=", b":", b"[", b"{", b"/", b"@", b"."])
    other = rng.choice([b";", b"\t", b"\r\n", b"\r", b"", b"'", b",", b'"', b"\n", b"]", b" "])
    return data.replace(mark, other, rng.choice([1, 2, -1]))


def _encoding(rng: random.Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    if rng.random() < 0.3:
        return (text + "\u00e9\u00df").encode("latin-1", "replace")
    return text.encode(rng.choice(_ENCODINGS), "replace")


def _quote(rng: random.Random, data: bytes) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice([b'"', b"'", b'"""', b"'''", b'""']) + data[at:]


def _noise(rng: random.Random, data: bytes) -> bytes:
    return rng.randbytes(rng.randint(0, 60))


MUTATIONS: Sequence[Mutation] = (
    _flip, _byte, _truncate, _delete, _repeat, _number, _number, _number, _insert, _insert, _line,
    _word, _separator, _encoding, _quote, _noise,
)  # fmt: skip


def damaged(rng: random.Random, valid: Sequence[bytes]) -> bytes:
    """One of the valid inputs with one to three kinds of damage."""
    data = rng.choice(valid)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        data = rng.choice(MUTATIONS)(rng, data)
    return data


def damaged_word(rng: random.Random, valid: Sequence[str]) -> str:
    """As :func:`damaged`, as an argument or a variable can hold it: no NUL, any other byte."""
    data = damaged(rng, [word.encode() for word in valid]).replace(b"\0", b"")
    return data.decode("utf-8", "surrogateescape")
