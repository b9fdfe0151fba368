"""Live proposals as a selector has counted them, by UTC day and item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from shsim.model.audit import ItemKey


@dataclass(frozen=True, slots=True)
class ProposalCount:
    """One item's proposals: how many, and on which days the first and the last of them were."""

    item: ItemKey
    proposals: int
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class ProposalTable:
    """The counters of some days.

    Attributes
    ----------
    exam
        Whose items; None: every item that was counted.
    since, until
        The first and the last day.
    counts
        By day and item; none is 0.
    items
        Whose counters were asked for, in their order; those of `counts` where all were.
    skipped
        What was no counter, one sentence each.
    """

    exam: str | None
    since: date
    until: date
    counts: Mapping[tuple[date, ItemKey], int]
    items: tuple[ItemKey, ...]
    skipped: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All proposals."""
        return sum(self.counts.values())

    def by_item(self) -> list[ProposalCount]:
        """One entry an item, the most proposed first, then by item."""
        totals = dict.fromkeys(self.items, 0)
        days: dict[ItemKey, tuple[date, date]] = {}
        for (day, item), count in self.counts.items():
            totals[item] += count
            first, last = days.get(item, (day, day))
            days[item] = min(first, day), max(last, day)
        found = [
            ProposalCount(item, count, *days.get(item, (None, None)))
            for item, count in totals.items()
        ]
        return sorted(found, key=lambda each: (-each.proposals, each.item))
