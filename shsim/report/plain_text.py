"""Names and messages from outside, made harmless to a terminal."""

from __future__ import annotations

import re

#: Control characters, marks that reorder or break a line, and undecodable bytes. A
#: terminal acts on the first two; the third cannot be written as UTF-8.
_ACTIVE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)

#: Characters of a line that are shown: a list of twenty names fits, a megabyte does not.
_LONGEST, _HEAD, _TAIL = 3000, 2000, 500


def visible(text: str) -> str:
    """`text` with every active character written out as Python would; newlines stay."""
    return _ACTIVE.sub(_spell, text)


def visible_line(text: str) -> str:
    """As :func:`visible`, and on one line: a name must not forge a line of its own."""
    return visible(text).replace("\n", "\\n")


def shortened(line: str) -> str:
    """A line that a screen can take: of a value of a megabyte its beginning and its end."""
    if len(line) <= _LONGEST:
        return line
    left_out = len(line) - _HEAD - _TAIL
    return f"{line[:_HEAD]} [... {left_out:,} characters ...] {line[-_TAIL:]}"


def _spell(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
