"""Whether a dataclass that was made from a file holds what its annotations say."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

#: Nothing here counts further, and no float could hold what does.
_LARGEST = 2**63


def well_typed(value: Any) -> bool:
    """Whether every field, and every field of a dataclass in it, is of its annotated type.

    Whole numbers must be within 64 bits. What an array holds is not looked at.
    """
    hints = get_type_hints(type(value))
    return all(_fits(getattr(value, field.name), hints[field.name]) for field in fields(value))


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        # Each tuple here is of any length, and of one type.
        return isinstance(value, tuple) and all(_fits(each, inner[0]) for each in value)
    if hint in (int, float):
        return _is_number(value, whole=hint is int)
    if is_dataclass(hint) and isinstance(value, hint):  # type: ignore[arg-type]
        return well_typed(value)
    return isinstance(value, origin or hint)


def _is_number(value: Any, *, whole: bool) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool) and abs(value) < _LARGEST
    return isinstance(value, float) and not whole
