"""Messages that speak of options, as a client knows these: by the names of fields."""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Options that are not called as the fields are.
_FIELDS: Mapping[str, str] = {"len": "test_len", "theta": "theta_dist", "exam": "exam_code"}

#: What an operator is to type is left as it is.
_COMMAND = re.compile(r"\bshsim [a-z]")

_OPTION = re.compile(r"(?<!\S)--([a-z][a-z-]*[a-z]|n)\b")


def in_fields(sentence: str) -> str:
    """The sentence with `--test-len` as `test_len`, and so on."""

    def field(match: re.Match[str]) -> str:
        return field_of(match[1])

    lines = sentence.split("\n")
    return "\n".join(line if _COMMAND.search(line) else _OPTION.sub(field, line) for line in lines)


def field_of(option: str) -> str:
    """The field that says what an option of the command line does."""
    name = option.lstrip("-")
    return _FIELDS.get(name, name.replace("-", "_"))
