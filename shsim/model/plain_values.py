"""Whether plain values, read back from JSON, are what the fields of a dataclass hold."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

#: nan and what JSON spells 1e999 are no numbers, and an integer may be beyond any.
_LARGEST = sys.float_info.max


def misfits(kind: type, plain: Mapping[str, Any], *, blank: bool = False) -> list[str]:
    """Names of the values that are of another type than the field of their name.

    Parameters
    ----------
    kind
        A dataclass.
    plain
        Values by name. Those that `kind` has no field for are let be, as another version may
        have written them.
    blank
        Whether any value may be None: what is not finite is, in JSON.
    """
    hints = _hints(kind)
    return [
        name
        for name, value in plain.items()
        if name in hints and not _fits(hints[name], value, blank=blank)
    ]


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


def _fits(hint: Any, value: Any, *, blank: bool) -> bool:
    of = get_args(hint)
    if value is None:
        return blank or NoneType in of
    if get_origin(hint) in (Union, UnionType):
        return any(_fits(each, value, blank=blank) for each in of)
    if get_origin(hint) is tuple:  # of values of one type, which all of ours are
        return isinstance(value, list) and all(_fits(of[0], each, blank=blank) for each in value)
    if is_dataclass(hint) and isinstance(hint, type):
        return isinstance(value, Mapping) and not misfits(hint, value, blank=blank)
    return _is(hint, value)


def _is(hint: Any, value: Any) -> bool:
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if hint in (int, float):
        # A whole number is written as one, and a share of 1 may be; a bool is no number.
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and abs(value) <= _LARGEST
    return isinstance(value, hint)
