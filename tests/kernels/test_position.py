"""One position of a live test, against the literal walk with the same draws."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from cat_oracle import Design, may_have, needs
from kernel_pools import pools

from shsim.kernels import plan
from shsim.kernels.acceptance import make_rule
from shsim.kernels.desk import ON_TRAIL, TAKEN, WAIT, make_desk
from shsim.kernels.grid import make_curves
from shsim.kernels.plan import TRUE, Content, Plan, no_content
from shsim.kernels.position import EXHAUSTED, select_item
from shsim.kernels.ranking import build_ranking

THETAS = [-40.0, -1.0, 0.0, 0.25, 2.9999, 7.5]


class Kernel:
    """The kernel on a pool, with a desk that is used again and again."""

    def __init__(self, pool, length, *, by_position, depth=None, content=None):
        size = len(pool.a)
        content = content or no_content()
        self.desk = make_desk(size, length, 0, len(content.least), trail=size)
        self.test = plan.Test(
            build_ranking(pool.items, -3.0, 3.0, depth or size, 64).tables,
            make_curves(pool.items, np.empty(0), np.empty(0), TRUE),
            make_rule(pool.k, length, by_position=by_position),
            Plan(TRUE, 0.0, length, length, 0.0),
            content,
        )

    def __call__(self, seen, aside, left, theta, key):
        chosen = select_item(
            self.test, self.desk, np.array(seen, np.int32), np.array(sorted(aside), np.int32),
            left, theta, np.uint64(key),
        )  # fmt: skip
        assert not self.desk.state[:, WAIT].any(), "the desk is cleared"
        return chosen, self.desk.trail[: self.desk.cursor[ON_TRAIL]].tolist()


def literally(pool, order, seen, aside, key, *, by_position):
    """The item (~item if forced) and what was proposed, by a loop; `aside` is added to."""
    proposed = []
    for item in order:
        if item in seen or item in aside:
            continue
        proposed.append(item)
        u, k = oracle.uniform(oracle.nth(key, item)), pool.k[item]
        if oracle.clock(u, k) == 1 if by_position else u <= k:
            return item, proposed
        if not by_position:
            aside.add(item)
    return ~next(item for item in order if item not in seen), proposed


@pytest.mark.parametrize("by_position", [True, False], ids=["position", "examinee"])
@pytest.mark.parametrize("depth", [24, 3])
@pytest.mark.parametrize("name", pools())
def test_each_position_is_the_literal_walk(name, depth, by_position):
    pool = pools()[name]
    size = len(pool.a)
    kernel = Kernel(pool, size, by_position=by_position, depth=depth)
    rng = np.random.default_rng(4)
    for theta in THETAS:
        seen, aside = [], set()
        for left in range(size, 0, -1):
            key = int(rng.integers(2**63))
            order = oracle.ranking(theta, *pool.parameters)
            before = set(aside)
            expected = literally(pool, order, seen, aside, key, by_position=by_position)
            assert kernel(seen, before, left, theta, key) == expected, (theta, left)
            seen.append(~expected[0] if expected[0] < 0 else expected[0])
        assert kernel(seen, aside, 1, theta, 1) == (EXHAUSTED, [])


@pytest.mark.parametrize("by_position", [True, False], ids=["position", "examinee"])
def test_topics_are_open_as_a_blueprint_says(by_position):
    pool, length = pools()["ordinary"], 12
    topic = np.arange(24) % 4
    least, most = [3, 0, 2, 0], [4, 1, 12, 12]
    design = Design("true", length, by_position, topic=topic, least=least, most=most)
    content = Content(topic.astype(np.int32), np.array(least), np.array(most))
    kernel = Kernel(pool, length, by_position=by_position, content=content)
    rng = np.random.default_rng(4)
    for theta in THETAS:
        seen, aside, taken = [], set(), [0] * 4
        for left in range(length, 0, -1):
            key = int(rng.integers(2**63))
            open_now, _ = may_have(design, taken, left)
            ranked = oracle.ranking(theta, *pool.parameters)
            order = [i for i in ranked if topic[i] in open_now]
            before = set(aside)
            expected = literally(pool, order, seen, aside, key, by_position=by_position)
            kernel.desk.content[TAKEN] = taken
            assert kernel(seen, before, left, theta, key) == expected
            seen.append(~expected[0] if expected[0] < 0 else expected[0])
            taken[topic[seen[-1]]] += 1
            if needs(design, taken):
                kernel.desk.content[TAKEN] = taken
                only, _ = kernel(seen, set(), 0, theta, key)
                lacking = topic[~only if only < 0 else only]
                assert taken[lacking] < least[lacking]
        assert needs(design, taken) == 0


def test_a_topic_that_is_used_up_is_said():
    pool = pools()["ordinary"]
    content = Content(np.repeat([0, 1], 12).astype(np.int32), np.array([6, 0]), np.array([6, 0]))
    kernel = Kernel(pool, 6, by_position=True, content=content)
    kernel.desk.content[TAKEN] = [5, 0]
    assert kernel(list(range(12)), set(), 1, 0.0, 1) == (EXHAUSTED, [])
