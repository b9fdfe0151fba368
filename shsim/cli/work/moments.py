"""Dates and times as options spell them, in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

from shsim.errors import UsageError


def moment(option: str, spelling: str) -> datetime:
    """A date or a time in ISO 8601; UTC where no zone is given.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        given = datetime.fromisoformat(spelling.strip())
        zoned = given if given.tzinfo is not None else given.replace(tzinfo=UTC)
        return zoned.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} {spelling!r} is no date. Write it like 2026-01-31 or 2026-01-31T06:00."
        ) from None


def day(option: str, spelling: str) -> date:
    """A whole day in ISO 8601.

    Raises
    ------
    UsageError
        It is none.
    """
    try:
        return date.fromisoformat(spelling.strip())
    except ValueError:
        raise UsageError(f"{option} {spelling!r} is no day. Write it like 2026-01-31.") from None
