"""An item as an operator looks it up: its k, and how often it is met just now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ItemExposure:
    """A published item.

    Attributes
    ----------
    question_id, version
        The item.
    topic_id
        Its topic, or None.
    sh_p
        k: 1 where none is stored, which is what that means; None where what is stored is
        no number.
    recent_attempts
        Attempts since a moment that was asked for.
    """

    question_id: int
    version: int
    topic_id: int | None
    sh_p: float | None
    recent_attempts: int


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Some items of a longer list, and how long that is."""

    items: Sequence[ItemExposure]
    total: int
