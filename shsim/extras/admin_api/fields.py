"""Numbers in a request's body: as JSON and its schemas have them, and nothing else."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator


def _number(value: object) -> object:
    """Refuse what pydantic would turn into a number: true, and text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it should be a number")  # noqa: TRY004 - pydantic's way
    return value


#: Ranges stand before it, `Annotated[float, Field(ge=0), NUMERIC]`, or the document lacks them.
NUMERIC = BeforeValidator(_number)

#: 25, and 25.0 too, which JSON knows no difference to.
WholeNumber = Annotated[int, NUMERIC]

#: Add a range, or `allow_inf_nan=False`: 1e400 is a number in JSON, and infinite here.
Number = Annotated[float, NUMERIC]
