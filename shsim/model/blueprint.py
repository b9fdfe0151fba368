"""What a test's content must be: the least and the most items of each topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shsim.arrays import IntArray
from shsim.model.ability import number
from shsim.model.item_pool import NO_TOPIC, ItemPool

#: How a blueprint names items without a topic.
NONE = "none"


@dataclass(frozen=True, slots=True)
class TopicRule:
    """At least and at most so many items of a topic a test; `most` None: any number."""

    topic: int
    least: int = 0
    most: int | None = None

    @property
    def name(self) -> str:
        """The topic as a blueprint writes it."""
        return NONE if self.topic == NO_TOPIC else str(self.topic)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """One rule a topic; topics without a rule are free.

    `spelling` is the file's name, for messages.
    """

    rules: tuple[TopicRule, ...]
    spelling: str = "--blueprint"

    def problems(self, longest: int) -> Iterator[str]:
        """What no pool could make good, for tests of at most `longest` items."""
        for rule in self.rules:
            if rule.least < 0 or (rule.most is not None and rule.most < rule.least):
                yield (
                    f"{self.spelling}: topic {rule.name}: least {rule.least} and most {rule.most}"
                    " leave nothing between them. Give 0 <= least <= most."
                )
        needed = sum(rule.least for rule in self.rules)
        if needed > longest:
            yield (
                f"{self.spelling}: the topics need {needed} items a test at least"
                f" ({self._listed('least')}), and a test has {longest}."
                " Lower a least, or give longer tests."
            )

    def problems_with(self, pool: ItemPool, longest: int) -> Iterator[str]:
        """What this pool cannot deliver."""
        there = topic_sizes(pool)
        for rule in self.rules:
            if there.get(rule.topic, 0) == 0:
                yield (
                    f"{self.spelling}: topic {rule.name} has no item in the pool of {pool.name}."
                    f" It holds the topics {_some(there)}."
                )
            elif rule.least > there[rule.topic]:
                yield (
                    f"{self.spelling}: topic {rule.name} needs {rule.least} items a test and the"
                    f" pool of {pool.name} holds {there[rule.topic]}. Lower its least."
                )
        room = sum(self._room(there, longest).values())
        if room < longest:
            yield (
                f"{self.spelling}: the topics give {room} items a test at most"
                f" ({self._listed('most')}), and a test has {longest}."
                " Raise a most, or give shorter tests."
            )

    def problems_under(self, pool: ItemPool, tau: float, shortest: int) -> Iterator[str]:
        """Where the cap leaves a topic fewer exposures than the blueprint needs."""
        there = topic_sizes(pool)
        for rule in self.rules:
            size = there.get(rule.topic, 0)
            if size > 0 and rule.least <= size and tau * size < rule.least * (1 - 1e-12):
                yield (
                    f"--tau {number(tau)} cannot be met: topic {rule.name} must give {rule.least}"
                    f" of its {size} items to every test, a mean exposure of"
                    f" {rule.least / size:.4g}. Give a --tau of at least"
                    f" {np.ceil(rule.least / size * 1e4) / 1e4:g}, a lower least or more items."
                )
        room = self._room(there, shortest)
        if sum(room.values()) < shortest:
            return  # no cap could be met: said by `problems_with`
        held = sum(min(most, tau * there[topic]) for topic, most in room.items())
        if held < shortest * (1 - 1e-12) and not tau * len(pool) < shortest:
            yield (
                f"--tau {number(tau)} cannot be met: under it the topics, with their most, give"
                f" {held:.4g} items a test, and a test has {shortest}."
                " Give a larger --tau, raise a most, or give shorter tests."
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON and the ledger."""
        return {rule.name: {"least": rule.least, "most": rule.most} for rule in self.rules}

    def classes(self, pool: ItemPool, longest: int) -> tuple[IntArray, IntArray, IntArray]:
        """Each item's class (N,), and the least and the most of each class.

        Every rule is a class; the last one is of all items without a rule.
        """
        ordered = sorted(self.rules, key=lambda rule: rule.topic)
        topics = np.array([rule.topic for rule in ordered], dtype=np.int64)
        place = np.searchsorted(topics, pool.topic_id)
        place[place == len(topics)] = 0
        ruled = topics[place] == pool.topic_id if len(topics) else np.zeros(len(pool), np.bool_)
        of_item = np.where(ruled, place, len(topics))
        least = [rule.least for rule in ordered]
        most = [longest if rule.most is None else rule.most for rule in ordered]
        return of_item, np.array([*least, 0], np.int64), np.array([*most, longest], np.int64)

    def _room(self, there: Mapping[int, int], longest: int) -> dict[int, int]:
        """The most items that a test may have of each topic in the pool."""
        most = {rule.topic: rule.most for rule in self.rules if rule.most is not None}
        return {
            topic: min(size, most.get(topic, longest), longest) for topic, size in there.items()
        }

    def _listed(self, bound: str) -> str:
        """``10: 5, 20: 8``."""
        return ", ".join(
            f"{rule.name}: {value}"
            for rule in self.rules
            if (value := getattr(rule, bound)) is not None and value != 0
        )


def topic_sizes(pool: ItemPool) -> dict[int, int]:
    """How many items each topic of the pool has."""
    topics, sizes = np.unique(pool.topic_id, return_counts=True)
    return dict(zip(topics.tolist(), sizes.tolist(), strict=True))


def _some(there: Mapping[int, int]) -> str:
    """The first topics by name."""
    names = [NONE if topic == NO_TOPIC else str(topic) for topic in list(there)[:10]]
    return ", ".join(names + ["…"] * (len(there) > len(names)))
