"""Fields of requests, each with the range or the spelling that the OpenAPI document tells."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from shsim.model.ability import LARGEST_THETA
from shsim.model.control import SPELLINGS


def _number(value: object) -> object:
    """Refuse what pydantic would turn into a number: true, and text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it should be a number")  # noqa: TRY004 - pydantic's way
    return value


#: Ranges stand before it, `Annotated[float, Field(ge=0), NUMERIC]`, or the document lacks them.
NUMERIC = BeforeValidator(_number)

#: Add a range, or `allow_inf_nan=False`: 1e400 is a number in JSON, and infinite here.
Number = Annotated[float, NUMERIC]

Share = Annotated[float, Field(ge=0, le=1), NUMERIC]
Positive = Annotated[float, Field(gt=0, le=1), NUMERIC]
Theta = Annotated[float, Field(ge=-LARGEST_THETA, le=LARGEST_THETA), NUMERIC]
StandardError = Annotated[float, Field(gt=0, le=LARGEST_THETA), NUMERIC]
Scale = Annotated[float, Field(gt=0, le=100), NUMERIC]
Step = Annotated[float, Field(gt=0, le=10), NUMERIC]
Length = Annotated[int, Field(ge=1, le=100_000), NUMERIC]
Examinees = Annotated[int, Field(ge=1, le=10**9), NUMERIC]
Iterations = Annotated[int, Field(ge=1, le=100_000), NUMERIC]
Nodes = Annotated[int, Field(ge=20, le=10**6), NUMERIC]
#: Its end, 2^63, is for the settings to tell: no float is that exact.
Seed = Annotated[int, Field(ge=0), NUMERIC]
Bound = Annotated[int, Field(ge=0, le=100_000), NUMERIC]
Flag = Annotated[bool, Field(strict=True)]
_LONGEST = 100
_NUMBER = r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,3})?"
_DISTRIBUTION = rf"^((normal|uniform) ?:? ?{_NUMBER} ?, ?{_NUMBER}|fixed ?:? ?{_NUMBER})$"
_EXAM = r"^[^\x00]+$"
_TOPIC = r"^(none|-?[0-9]{1,18})$"
_CONTROL = r"^(none|sh|randomesque:[1-9][0-9]{0,5}|progressive|restricted|eligibility)$"


def _spelled(pattern: str, words: str) -> AfterValidator:
    """What is not of the pattern is refused in words."""
    compiled = re.compile(pattern.removesuffix("$") + r"\Z")

    def check(text: str) -> str:
        if compiled.match(text) is None:
            raise ValueError(words)
        return text

    return AfterValidator(check)


ExamCode = Annotated[
    str,
    _spelled(_EXAM, "no exam code holds the character NUL"),
    Field(min_length=1, max_length=200, json_schema_extra={"pattern": _EXAM}),
]
Distribution = Annotated[
    str,
    _spelled(
        _DISTRIBUTION,
        "write normal:MU,SD, uniform:LO,HI or fixed:X; a request names no file of the server's",
    ),
    Field(max_length=_LONGEST, json_schema_extra={"pattern": _DISTRIBUTION}),
]
Topic = Annotated[
    str,
    _spelled(_TOPIC, "a topic is a whole number, or none"),
    Field(json_schema_extra={"pattern": _TOPIC}),
]
ControlName = Annotated[
    str,
    _spelled(_CONTROL, f"write one of: {SPELLINGS}"),
    Field(max_length=_LONGEST, json_schema_extra={"pattern": _CONTROL}),
]
