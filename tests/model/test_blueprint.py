"""What a blueprint asks, what of it cannot be had, and that all else is had in every test."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pools import NORMAL, make_pool

from shsim.kernels.adaptive import administer_adaptively
from shsim.kernels.desk import NO_ITEM, make_journal, make_sums
from shsim.kernels.sitting import make_examinees
from shsim.model.blueprint import Blueprint, TopicRule, topic_sizes
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import NO_TOPIC
from shsim.workflow import executor as executor_module
from shsim.workflow.adaptive import AdaptiveTests
from shsim.workflow.executor import Executor

TAKERS = 200

#: Many a blueprint drawn is impossible.
OFTEN = (HealthCheck.too_slow, HealthCheck.filter_too_much)


def pool_of(sizes, k=None, seed=1):
    """A pool with so many items of each topic, mixed."""
    rng = np.random.default_rng(seed)
    topics = rng.permutation(np.repeat(list(sizes), list(sizes.values())))
    n = len(topics)
    pool = make_pool(np.exp(rng.normal(0, 0.3, n)), rng.normal(0, 1, n), rng.uniform(0, 0.3, n), k)
    return replace(pool, topic_id=topics.astype(np.int64))


def blueprint(*rules, spelling="plan.toml"):
    return Blueprint(tuple(TopicRule(*rule) for rule in rules), spelling)


POOL = pool_of({10: 5, 20: 3, 30: 4, NO_TOPIC: 2})


def all_problems(wanted, pool, longest):
    return [*wanted.problems(longest), *wanted.problems_with(pool, longest)]


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ([(10, -1)], "topic 10: least -1 and most None"),
        ([(10, 3, 2)], "topic 10: least 3 and most 2"),
        ([(NO_TOPIC, 1, 0)], "topic none: least 1 and most 0"),
        ([(10, 0, -1)], "topic 10: least 0 and most -1"),
    ],
)
def test_a_rule_that_leaves_nothing_is_named_with_its_remedy(rules, named):
    (problem,) = blueprint(*rules).problems(8)
    assert problem.startswith("plan.toml: " + named)
    assert "Give 0 <= least <= most." in problem


def test_topics_that_need_more_than_a_test_has_are_listed():
    wanted = blueprint((10, 5), (20, 0, 2), (30, 4))
    (problem,) = wanted.problems(8)
    assert "need 9 items a test at least (10: 5, 30: 4), and a test has 8." in problem
    assert "Lower a least, or give longer tests." in problem
    assert list(wanted.problems(9)) == []


def test_each_bad_rule_is_named_in_one_run():
    problems = list(blueprint((10, -1), (20, 3, 2), (30, 20)).problems(8))
    assert [problem.split(":")[1].strip() for problem in problems] == [
        "topic 10",
        "topic 20",
        "the topics need 22 items a test at least (10",
    ]


def test_a_topic_that_the_pool_lacks_is_named_with_those_it_holds():
    (problem,) = blueprint((11, 1)).problems_with(POOL, 4)
    assert problem == (
        "plan.toml: topic 11 has no item in the pool of TEST. It holds the topics none, 10, 20, 30."
    )
    assert list(blueprint((NO_TOPIC, 1)).problems_with(POOL, 4)) == []


def test_a_pool_of_many_topics_is_not_listed_whole():
    pool = pool_of(dict.fromkeys(range(100, 130), 1))
    (problem,) = blueprint((11, 1)).problems_with(pool, 4)
    assert problem.endswith("It holds the topics " + ", ".join(map(str, range(100, 110))) + ", ….")


def test_a_topic_with_too_few_items_is_named():
    (problem,) = blueprint((20, 4)).problems_with(POOL, 8)
    assert problem == (
        "plan.toml: topic 20 needs 4 items a test and the pool of TEST holds 3. Lower its least."
    )
    assert list(blueprint((20, 3)).problems_with(POOL, 8)) == []


def test_mosts_that_leave_a_test_short_are_listed():
    wanted = blueprint((10, 0, 1), (20, 1, 1), (30, 0, 2))
    (problem,) = wanted.problems_with(POOL, 7)
    assert "the topics give 6 items a test at most (10: 1, 20: 1, 30: 2)" in problem
    assert "and a test has 7. Raise a most, or give shorter tests." in problem
    assert list(wanted.problems_with(POOL, 6)) == []


def test_a_cap_that_a_topic_cannot_keep_is_told_and_the_one_offered_is_kept():
    wanted = blueprint((20, 1))
    (problem,) = wanted.problems_under(POOL, 0.3, 2)
    assert "--tau 0.3 cannot be met: topic 20 must give 1 of its 3 items" in problem
    assert "a mean exposure of 0.3333" in problem
    assert "at least 0.3334" in problem
    assert list(wanted.problems_under(POOL, 0.3334, 2)) == []
    assert list(wanted.problems_under(POOL, 1 / 3, 2)) == []


def test_a_cap_under_which_mosts_leave_a_test_short_is_told():
    wanted = blueprint((10, 0, 1), (30, 0, 0))
    (problem,) = wanted.problems_under(POOL, 0.4, 4)
    assert "under it the topics, with their most, give 3 items a test, and a test has 4" in problem
    assert "Give a larger --tau, raise a most, or give shorter tests." in problem
    assert list(wanted.problems_under(POOL, 0.4, 3)) == []
    assert list(wanted.problems_under(POOL, 0.6, 4)) == []


def test_classes_are_the_rules_by_topic_and_the_rest():
    of_item, least, most = blueprint((30, 1, 2), (NO_TOPIC, 0, 1), (10, 2)).classes(POOL, 9)
    expected = {NO_TOPIC: 0, 10: 1, 30: 2, 20: 3}
    assert of_item.tolist() == [expected[topic] for topic in POOL.topic_id.tolist()]
    assert least.tolist() == [0, 2, 1, 0]
    assert most.tolist() == [1, 9, 2, 9]


def test_without_a_rule_all_items_are_one_class():
    of_item, least, most = Blueprint(()).classes(POOL, 9)
    assert (set(of_item.tolist()), least.tolist(), most.tolist()) == ({0}, [0], [9])
    assert all_problems(Blueprint(()), POOL, 9) == []


def test_a_blueprint_is_written_down_by_the_names_of_its_topics():
    assert blueprint((30, 1, 2), (NO_TOPIC, 3)).as_dict() == {
        "30": {"least": 1, "most": 2},
        "none": {"least": 3, "most": None},
    }


def test_a_delivery_tells_its_blueprint_s_problems():
    wanted = blueprint((20, 4), (10, 5))
    delivery = DeliverySettings(length=8, theta=NORMAL, seed=1, blueprint=wanted)
    assert list(delivery.problems()) == list(wanted.problems(8))
    assert list(delivery.problems_with(POOL)) == list(wanted.problems_with(POOL, 8))
    assert len(list(delivery.problems())) == len(list(delivery.problems_with(POOL))) == 1


@st.composite
def asked_of_a_pool(draw):
    """Topics of a few items each, rules for some of them, and a length."""
    topics = draw(st.lists(st.sampled_from([NO_TOPIC, -3, 0, 7, 9]), min_size=1, unique=True))
    sizes = {topic: draw(st.integers(1, 5)) for topic in topics}
    rules = []
    for topic in draw(st.lists(st.sampled_from(topics), unique=True)):
        least = draw(st.integers(0, 4))
        rules.append((topic, least, draw(st.none() | st.integers(0, 6))))
    length = draw(st.integers(1, min(sum(sizes.values()), 10)))
    return sizes, blueprint(*rules), length


def bounds(sizes, wanted, length):
    """The least and the most that a test can have of each topic."""
    rules = {rule.topic: rule for rule in wanted.rules}
    least = {topic: rules[topic].least if topic in rules else 0 for topic in sizes}
    most = {
        topic: length if topic not in rules or rules[topic].most is None else rules[topic].most
        for topic in sizes
    }
    return least, most


@examples(max_examples=400, deadline=None)
@given(asked_of_a_pool())
def test_just_what_is_impossible_is_refused(asked):
    sizes, wanted, length = asked
    least, most = bounds(sizes, wanted, length)
    there = {topic: min(most[topic], size) for topic, size in sizes.items()}
    possible = all(least[topic] <= there[topic] for topic in sizes)
    possible &= sum(least.values()) <= length <= sum(there.values())
    pool = pool_of(sizes)
    assert topic_sizes(pool) == sizes
    assert (all_problems(wanted, pool, length) == []) == possible


@examples(max_examples=200, deadline=None, suppress_health_check=OFTEN)
@given(asked_of_a_pool(), st.integers(1, 20))
def test_just_the_caps_that_no_exposure_meets_are_refused(asked, twentieths):
    sizes, wanted, length = asked
    pool, tau = pool_of(sizes), twentieths / 20
    # Neither refused by itself, nor without a blueprint too.
    assume(not all_problems(wanted, pool, length) and twentieths * len(pool) >= 20 * length)
    least, most = bounds(sizes, wanted, length)
    held = {topic: min(20 * most[topic], twentieths * size) for topic, size in sizes.items()}
    possible = all(20 * least[topic] <= held[topic] for topic in sizes)
    possible &= sum(held.values()) >= 20 * length
    assert (list(wanted.problems_under(pool, tau, length)) == []) == possible


@st.composite
def deliverable(draw):
    """A pool, k and a test with a blueprint of which no problem is reported."""
    sizes, wanted, length = draw(asked_of_a_pool())
    n = sum(sizes.values())
    k = draw(st.lists(st.sampled_from([0.0, 0.02, 0.4, 1.0]), min_size=n, max_size=n))
    pool = pool_of(sizes, k, seed=draw(st.integers(0, 3)))
    ability = draw(st.sampled_from(["true", "eap", "mle"]))
    se_stop = None if ability == "true" else draw(st.sampled_from([None, 0.4, 0.8]))
    delivery = DeliverySettings(
        length=length, theta=NORMAL, seed=1, blueprint=wanted, ability=ability, se_stop=se_stop,
        rejection=draw(st.sampled_from(["position", "examinee"])),
        min_len=None if se_stop is None else draw(st.integers(1, length)),
    )  # fmt: skip
    return pool, delivery


def given_tests(pool, delivery):
    """Item and number of items of each of 200 tests by the kernel, (200, L) and (200,)."""
    theta = np.random.default_rng(2).normal(0, 1, TAKERS)
    journal = make_journal(TAKERS, delivery.length, 0)
    sums = make_sums(len(pool), delivery.length, histogram=False, by_decile=False)
    few_bins = patch.object(executor_module, "_MOST_BINS_ADAPTIVE", 64)
    with few_bins, Executor(pool, delivery, 1) as executor:
        tests = AdaptiveTests(executor, pool, delivery)
        test = tests.test(pool.k)
        takers = make_examinees(
            test.tables, theta, np.zeros(TAKERS, np.uint8), 0, np.uint64(3), np.uint64(4)
        )
        ended = administer_adaptively(
            test, takers, sums, tests.desk(), journal, 0, TAKERS, np.zeros(1, np.uint8)
        )
    assert ended == TAKERS
    there = journal.item != NO_ITEM
    return np.where(journal.item < 0, ~journal.item, journal.item), there


@pytest.mark.compiled
@examples(max_examples=300, deadline=None, suppress_health_check=OFTEN)
@given(deliverable())
def test_what_is_not_refused_is_met_in_every_test(asked):
    pool, delivery = asked
    wanted, length = delivery.blueprint, delivery.length
    assume(not [*delivery.problems(), *delivery.problems_with(pool)])
    items, there = given_tests(pool, delivery)
    count = there.sum(axis=1)
    assert (there == (np.arange(length) < count[:, None])).all()
    assert (count >= delivery.shortest).all()
    distinct = np.sort(np.where(there, items, len(pool) + np.arange(length)), axis=1)
    assert (np.diff(distinct, axis=1) > 0).all()
    topics = np.where(there, pool.topic_id[np.where(there, items, 0)], 5)
    for rule in wanted.rules:
        taken = (topics == rule.topic).sum(axis=1)
        assert taken.min() >= rule.least
        assert rule.most is None or taken.max() <= rule.most
