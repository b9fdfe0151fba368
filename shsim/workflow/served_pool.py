"""A pool as a live selector serves it: immutable, so that it can be exchanged in flight."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from operator import index

import numpy as np

from shsim.arrays import AnyArray, FloatArray
from shsim.errors import DataError
from shsim.kernels.acceptance import Rule, make_rule
from shsim.kernels.desk import ON_TRAIL, TAKEN, Desk, make_desk
from shsim.kernels.grid import make_curves
from shsim.kernels.irt import prepare_items
from shsim.kernels.plan import TRUE, Plan, Test
from shsim.kernels.position import EXHAUSTED, select_item
from shsim.kernels.ranking import build_ranking
from shsim.model.audit import ItemKey
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.selection import Selection
from shsim.workflow.executor import ranked_range
from shsim.workflow.stepwise import content_of

#: Tables are so many times as deep as a test is long; deeper walks take a heap.
_DEPTH_PER_ITEM = 8

_NO_ITEMS = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True)
class Given:
    """What one examinee has had, as positions in the pool.

    `seen` cannot be given again, `aside` was rejected for good; `count` items were given, of
    each topic of the blueprint `by_topic`.
    """

    seen: AnyArray
    aside: AnyArray
    count: int
    by_topic: AnyArray


@dataclass(frozen=True, slots=True, eq=False)
class ServedPool:
    """A pool, its tables and its k.

    Attributes
    ----------
    keys, places
        Each position's item, and each item's position.
    versions
        The positions of a question, in whichever version.
    topic_of
        The blueprint's class of every item that is or was served; empty without a blueprint.
    desks
        Room to work in, for as many threads as ever selected at once.
    """

    pool: ItemPool
    delivery: DeliverySettings
    test: Test
    keys: list[ItemKey]
    places: Mapping[ItemKey, int]
    versions: Mapping[int, list[int]]
    topic_of: Mapping[ItemKey, int]
    desks: deque[Desk]

    @classmethod
    def build(
        cls, pool: ItemPool, delivery: DeliverySettings, former: ServedPool | None = None
    ) -> ServedPool:
        """Rank a pool and compile or load the kernel; `former` is what was served before.

        Raises
        ------
        DataError
            The pool cannot give such tests.
        """
        problems = list(delivery.problems()) or list(delivery.problems_with(pool))
        if problems:
            raise DataError(problems)
        items = prepare_items(pool.a, pool.b, pool.c, pool.d, delivery.scale)
        low, high = ranked_range(delivery)
        ranking = build_ranking(items, low, high, _DEPTH_PER_ITEM * delivery.length)
        content = content_of(pool, delivery)
        test = Test(
            ranking.tables,
            make_curves(items, np.empty(0), np.empty(0), TRUE),
            _rule(pool.k, delivery),
            Plan(TRUE, 0.0, int(delivery.shortest), int(delivery.length), 0.0),
            content,
        )
        keys = pool.keys
        versions: dict[int, list[int]] = {}
        for place, (question, _) in enumerate(keys):
            versions.setdefault(question, []).append(place)
        topics = dict(zip(keys, content.topic.tolist(), strict=False))
        served = cls(
            pool=pool,
            delivery=delivery,
            test=test,
            keys=keys,
            places={key: place for place, key in enumerate(keys)},
            versions=versions,
            topic_of={**(former.topic_of if former else {}), **topics},
            desks=deque(),
        )
        served.select(served.given((), ()), 0.0, np.uint64(0), only_needed=False)
        return served

    def with_k(self, pool: ItemPool) -> ServedPool:
        """The same items under the k of `pool`, which must hold the same ones."""
        test = self.test._replace(rule=_rule(pool.k, self.delivery))
        return replace(self, pool=pool, test=test)

    def given(self, seen: Iterable[ItemKey], rejected: Iterable[ItemKey]) -> Given:
        """What an examinee has had.

        An item that is not in the pool (retired meanwhile, or never there) counts as given; its
        question is not given again in another version.

        Raises
        ------
        DataError
            Something of it is no pair of whole numbers.
        """
        places: list[int] = []
        count = 0
        classes = len(self.test.content.least)
        by_topic = np.zeros(classes, np.int64)
        for each in seen:
            count += 1
            key = each if type(each) is tuple else item_key(each)
            try:
                place = self.places.get(key)
            except TypeError:  # a pair of what cannot be hashed
                key, place = item_key(key), None
            if place is not None:
                places.append(place)
            else:
                places.extend(self.versions.get(item_key(key)[0], ()))
            if classes:
                by_topic[self.topic_of.get(key, classes - 1)] += 1
        aside = [place for each in rejected if (place := self.places.get(each)) is not None]
        return Given(
            np.array(places, np.int32),
            np.array(aside, np.int32) if aside else _NO_ITEMS,
            count,
            by_topic,
        )

    def select(self, given: Given, theta: float, key: np.uint64, *, only_needed: bool) -> Selection:
        """The item for an examinee's next position.

        Raises
        ------
        DataError
            The test is full, nothing is needed, or no item is left that may be given.
        """
        left = self.delivery.length - given.count
        if left < 1:
            raise DataError(
                f"the test has its {self.delivery.length} items, and {given.count} were seen:"
                " there is no position to fill. End it, or serve a longer one."
            )
        if only_needed and not self.needed(given):
            raise DataError("no topic lacks an item: the test can end here.")
        try:
            desk = self.desks.pop()
        except IndexError:
            desk = self._desk()
        if len(given.by_topic):
            desk.content[TAKEN] = given.by_topic
        positions = 0 if only_needed else left
        chosen = select_item(self.test, desk, given.seen, given.aside, positions, theta, key)
        trail = desk.trail[: desk.cursor[ON_TRAIL]].tolist()
        self.desks.append(desk)
        if chosen == EXHAUSTED:
            raise DataError(self._exhaustion(given))
        keys = self.keys
        forced = chosen < 0
        return Selection(
            keys[~chosen if forced else chosen], tuple([keys[i] for i in trail]), forced
        )

    def needed(self, given: Given) -> int:
        """Items that topics of the blueprint still lack."""
        return int(np.maximum(self.test.content.least - given.by_topic, 0).sum())

    def _desk(self) -> Desk:
        size, topics = len(self.keys), len(self.test.content.least)
        return make_desk(size, self.delivery.length, 0, topics, trail=size)

    def _exhaustion(self, given: Given) -> str:
        pool = self.pool
        seen = f"{given.count} items were seen"
        if self.delivery.blueprint is None:
            return f"the pool of {pool.name} is exhausted: it holds {len(pool)} items, and {seen}."
        return (
            f"the pool of {pool.name} is exhausted for {self.delivery.blueprint.spelling}: {seen},"
            " and no unseen item is of a topic that the next position may have."
        )


def item_key(item: ItemKey) -> ItemKey:
    """An item as services spell it: a pair of whole numbers, a list of two from JSON.

    Raises
    ------
    DataError
        It is none.
    """
    try:
        question, version = item
        return index(question), index(version)
    except (TypeError, ValueError):
        raise DataError(
            f"{item!r} is no item. Write (question_id, version), two whole numbers."
        ) from None


def _rule(k: FloatArray, delivery: DeliverySettings) -> Rule:
    return make_rule(k, delivery.length, by_position=delivery.rejection == "position")
