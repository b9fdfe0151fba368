"""What a live selector gives back."""

from __future__ import annotations

from dataclasses import dataclass

from shsim.model.audit import ItemKey


@dataclass(frozen=True, slots=True)
class Selection:
    """The item for one position of a live test.

    Attributes
    ----------
    item
        `question_id` and `version`.
    proposed
        Items proposed for the position, from the most informative down; the last one is
        `item`, unless it was forced.
    forced
        Whether every item was rejected, and this one given all the same: the most informative
        of those unseen.
    """

    item: ItemKey
    proposed: tuple[ItemKey, ...]
    forced: bool

    @property
    def question_id(self) -> int:
        """The item's question."""
        return self.item[0]

    @property
    def version(self) -> int:
        """The item's version."""
        return self.item[1]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a live selector took over: items whose k changed, that are new, that are gone."""

    k_changed: int
    added: tuple[ItemKey, ...]
    retired: tuple[ItemKey, ...]
