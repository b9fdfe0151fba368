"""How a proposal counter is called in Redis: ``proposed:20260131:17:2``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from shsim.model.audit import ItemKey

#: What all of them match.
PATTERN = "proposed:*"

SECONDS_A_DAY = 86_400

_EPOCH = date(1970, 1, 1).toordinal()
_KEY = re.compile(rb"proposed:(\d{8}):(-?\d{1,19}):(-?\d{1,19})")
_LARGEST = 2**63 - 1


def date_of(day: int) -> date:
    """A UTC day, in days since 1970, as a date."""
    return date.fromordinal(_EPOCH + day)


def day_of(moment: datetime) -> date:
    """The UTC day of a moment."""
    return moment.astimezone(UTC).date()


def spell(day: date, item: ItemKey) -> str:
    """The counter of one item on one UTC day."""
    return f"proposed:{day:%Y%m%d}:{item[0]}:{item[1]}"


def read(key: bytes) -> tuple[date, ItemKey] | None:
    """The day and the item of a counter; None where the key is none of ours, to the letter."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    digits, question, version = match[1], int(match[2]), int(match[3])
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    if not (is_id(question) and is_id(version)):
        return None
    item = (question, version)
    # 5 and 05 would be one item's, and a selector counts in one place only.
    return (day, item) if spell(day, item).encode() == key else None


def is_id(number: int) -> bool:
    """Whether a bigint column could hold it."""
    return -_LARGEST - 1 <= number <= _LARGEST
