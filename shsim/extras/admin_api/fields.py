"""Numbers in a request's body: as JSON and its schemas have them, and nothing else."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator


def _number(value: object) -> object:
    """Refuse what pydantic would turn into a number: true, and text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it should be a number")  # noqa: TRY004 - pydantic's way
    return value


#: 25, and 25.0 too, which JSON knows no difference to.
WholeNumber = Annotated[int, BeforeValidator(_number)]

#: Add a range, or `allow_inf_nan=False`: 1e400 is a number in JSON, and infinite here.
Number = Annotated[float, BeforeValidator(_number)]
