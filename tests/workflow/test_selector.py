"""The live selector: the simulated test's items, for whoever asks, while the pool changes."""

from __future__ import annotations

import copy
import json
import os
import pickle
import random
import signal
import threading
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import oracle
import pytest
from cat_oracle import grid
from pools import NORMAL, golden_pool, make_pool, simulation

from shsim import Blueprint, DeliverySettings, Selector, TopicRule, simulate
from shsim.errors import DataError
from shsim.kernels.position import select_item
from shsim.model.item_pool import ItemPool


def delivery(length=10, rejection="position", **settings):
    return DeliverySettings(length=length, rejection=rejection, theta=NORMAL, seed=1, **settings)


def controlled(size=60, seed=5):
    """A pool some of whose items are held back."""
    k = np.random.default_rng(seed).uniform(0.05, 1.6, size)
    return golden_pool(size, np.minimum(k, 1.0))


def dice(seed=1):
    return np.random.default_rng(seed)


def with_columns(pool, rows, **columns):
    """The rows of a pool as a pool, with other columns."""
    named = {key: getattr(pool, key)[rows] for key in (*"abcdk", "topic_id", "question_id")}
    named["version"] = pool.version[rows]
    return ItemPool.build(pool.name, named | columns)


def give(selector, theta, rng, length=10):
    seen = []
    for _ in range(length):
        seen.append(selector.next_item(theta, seen, rng).item)
    return seen


def by_hand(pool, theta, draws, length):
    """The literal test under `position`, from the numbers that a generator draws."""
    order = oracle.ranking(theta, pool.a, pool.b, pool.c, 1.7)
    seen, proposed = [], []
    for _ in range(length):
        key = int(draws.random() * 2**53)
        unseen = [i for i in order if i not in seen]
        rest = iter(unseen)
        for item in rest:
            proposed.append(item)
            if oracle.clock(oracle.uniform(oracle.nth(key, item)), pool.k[item]) == 1:
                break
        else:
            item = unseen[0]
        seen.append(item)
    return seen, proposed


@pytest.mark.parametrize("make", [np.random.default_rng, random.Random], ids=["numpy", "random"])
def test_the_same_draws_give_the_literal_test(make):
    pool = controlled()
    hooked = []
    selector = Selector(pool, delivery(), lambda q, v: hooked.append((q, v)))
    for seed, theta in enumerate(np.linspace(-3, 3, 13).tolist()):
        seen, proposed = by_hand(pool, theta, make(seed), 10)
        hooked.clear()
        assert give(selector, theta, make(seed)) == [(i + 1, 1) for i in seen]
        assert hooked == [(i + 1, 1) for i in proposed]
    assert selector.hook_failures == 0


@pytest.mark.parametrize("rejection", ["position", "examinee"])
def test_a_session_repeats_and_goes_on_elsewhere(rejection):
    pool = controlled()
    first, second = (Selector(pool, delivery(rejection=rejection)) for _ in range(2))
    thetas = np.random.default_rng(1).normal(0, 1, 10).tolist()
    whole = first.session(7)
    given = [whole.next_item(theta) for theta in thetas]
    session = first.session(7)
    for theta in thetas:
        session.next_item(theta)
        session = second.resume(json.loads(json.dumps(session.state)))
    assert session.state == whole.state
    assert session.seen == [each.item for each in given]
    assert len(set(session.seen)) == 10
    assert first.session().seed != first.session().seed
    assert json.dumps(first.session(np.int64(7)).state) == json.dumps(first.session(7).state)
    assert first.session(np.int64(7)).next_item(thetas[0]) == given[0]
    assert whole.seen == [(each.question_id, each.version) for each in given]


def test_what_an_examinee_rejected_is_not_proposed_again():
    pool = make_pool(np.linspace(2, 1, 8), np.zeros(8), np.zeros(8), [0, 0, 0, 1, 0, 0, 0, 0])
    session = Selector(pool, delivery(5, "examinee")).session(1)
    first = session.next_item(0.0)
    assert (first.item, first.forced) == ((4, 1), False)
    assert first.proposed == ((1, 1), (2, 1), (3, 1), (4, 1))
    assert list(session.rejected) == [(1, 1), (2, 1), (3, 1)]
    second = session.next_item(0.0)
    assert (second.item, second.forced) == ((1, 1), True)
    assert second.proposed == ((5, 1), (6, 1), (7, 1), (8, 1))
    third = session.next_item(0.0)
    assert (third.item, third.forced, third.proposed) == ((2, 1), True, ())


def test_a_generator_may_draw_for_a_session():
    selector = Selector(controlled(), delivery())
    session = selector.session(1)
    rng = np.random.default_rng(3)
    for _ in range(10):
        selector.next_item(0.3, session, rng)
    assert session.seen == give(selector, 0.3, np.random.default_rng(3))


def test_k_of_0_is_forced_alone():
    selector = Selector(golden_pool(20, np.zeros(20)), delivery(3))
    chosen = selector.next_item(0.0, [], dice())
    best = oracle.ranking(0.0, selector.pool.a, selector.pool.b, selector.pool.c, 1.7)
    assert chosen.forced
    assert chosen.item == (best[0] + 1, 1)
    assert chosen.proposed == tuple((i + 1, 1) for i in best)


@pytest.mark.parametrize(
    "theta", [np.nan, np.inf, -np.inf, "x", None, 10**400, -(10**5000)], ids=lambda _: ""
)
def test_an_ability_that_is_none_is_refused(theta):
    selector = Selector(controlled(), delivery())
    with pytest.raises(DataError, match="is no finite number"):
        selector.next_item(theta, [], dice())
    session = selector.session(1)
    with pytest.raises(DataError, match="is no finite number"):
        session.next_item(theta)
    assert session.seen == []


@pytest.mark.parametrize("item", [1, "17/2", (1,), (1, "1"), (1, None), ([1], 2), (1, 2, 3), None])
def test_what_is_no_item_is_refused(item):
    selector = Selector(controlled(), delivery())
    with pytest.raises(DataError, match="is no item"):
        selector.next_item(0.0, [item], dice())


def test_items_are_spelled_in_many_ways():
    selector = Selector(controlled(), delivery())
    spelled = [[(1, 1), (2, 1)], ([1, 1], [2, 1]), np.array([[1, 1], [2, 1]]), {(1, 1), (2, 1)}]
    given = {selector.next_item(0.1, seen, dice()) for seen in spelled}
    assert len(given) == 1


def test_an_unknown_item_counts_and_its_question_is_not_given_again():
    selector = Selector(controlled(12), delivery(11))
    seen = [(3, 9), (999, 1)]
    rng = np.random.default_rng(1)
    while len(seen) < 11:
        seen.append(selector.next_item(0.0, seen, rng).item)
    assert (3, 1) not in seen
    with pytest.raises(DataError, match="the test has its 11 items, and 11 were seen"):
        selector.next_item(0.0, seen, rng)


def test_a_pool_that_is_exhausted_is_named():
    ids = np.array([1, 1, *range(3, 13)])
    pool = with_columns(controlled(12), slice(None), question_id=ids, version=np.arange(12) + 1)
    selector = Selector(pool, delivery(12))
    seen = [(question, question) for question in range(3, 13)]
    assert selector.next_item(0.0, seen, dice()).question_id == 1
    with pytest.raises(DataError, match="the pool of TEST is exhausted: it holds 12 items, and 11"):
        selector.next_item(0.0, [*seen, (1, 99)], dice())


class _Zero:
    def random(self):
        return 0.0


@pytest.mark.parametrize("draw", [1.0, -0.1, np.nan])
def test_a_generator_that_draws_nonsense_is_refused(draw):
    class Bad:
        def random(self):
            return draw

    with pytest.raises(DataError, match="outside"):
        Selector(controlled(), delivery()).next_item(0.0, [], Bad())


def test_what_is_missing_is_asked_for():
    with pytest.raises(DataError, match="give rng"):
        Selector(controlled(), delivery()).next_item(0.0, [])
    with pytest.raises(DataError, match="Give a session"):
        Selector(controlled(), delivery(rejection="examinee")).next_item(0.0, [], dice())
    with pytest.raises(DataError, match="longer than the pool"):
        Selector(controlled(5), delivery())
    for state in ({}, {"seed": 1, "seen": [5], "rejected": []}, {"seed": "x"}, None):
        with pytest.raises(DataError):
            Selector(controlled(), delivery()).resume(state)


@pytest.mark.parametrize("seed", [1.7, 1.0, np.inf, np.nan, "1", None])
def test_a_seed_that_is_no_whole_number_resumes_nothing(seed):
    selector = Selector(controlled(), delivery())
    with pytest.raises(DataError, match="seed"):
        selector.resume({"seed": seed, "seen": [], "rejected": []})


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy])
def test_what_is_not_pickled_names_what_is(copied):
    selector = Selector(controlled(), delivery())
    with pytest.raises(TypeError, match=r"Build one in each process.*session\.state.*resume"):
        copied(selector)
    with pytest.raises(TypeError, match=r"its state.*resume"):
        copied(selector.session(1))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_process_forked_while_k_are_exchanged_takes_over_its_own():
    selector, ends = Selector(controlled(), delivery()), []

    class Forking:
        """k that are read while the pool is exchanged."""

        def __array__(self, dtype=None, copy=None):
            child = os.fork()
            if child == 0:
                signal.alarm(20)  # in vain where it waits for a thread that it has not
                changed = selector.update_k(np.ones(60))
                given = selector.session(1).next_item(0.0)
                os._exit(0 if changed and given.proposed == (given.item,) else 1)
            ends.append(os.waitpid(child, 0)[1])
            return np.full(60, 0.5)

    selector.update_k(Forking())
    assert ends == [0]
    assert set(selector.pool.k) == {0.5}


def test_a_hook_that_fails_is_counted_and_changes_nothing(caplog):
    def fails(question_id, version):
        raise RuntimeError("no")

    plain, hooked = Selector(controlled(), delivery()), Selector(controlled(), delivery(), fails)
    proposed = []
    seen = []
    rng = np.random.default_rng(2)
    for _ in range(10):
        chosen = plain.next_item(0.2, seen, rng)
        seen.append(chosen.item)
        proposed += chosen.proposed
    assert give(hooked, 0.2, np.random.default_rng(2)) == seen
    assert hooked.hook_failures == len(proposed)
    assert len(caplog.records) == 1
    other = []
    hooked.next_item(
        0.2, [], np.random.default_rng(2), on_proposal=lambda *item: other.append(item)
    )
    assert other
    assert hooked.hook_failures == len(proposed)


BLUEPRINT = Blueprint((TopicRule(1, 3, 4), TopicRule(2, 0, 1), TopicRule(3, 2, None)))


def in_topics(size=60, topics=4):
    return with_columns(controlled(size), slice(None), topic_id=np.arange(size) % topics)


@pytest.mark.parametrize("rejection", ["position", "examinee"])
def test_a_blueprint_is_met(rejection):
    pool = in_topics()
    topic = dict(zip(zip(pool.question_id, pool.version, strict=True), pool.topic_id, strict=True))
    selector = Selector(pool, delivery(rejection=rejection, blueprint=BLUEPRINT))
    for seed in range(30):
        session = selector.session(seed)
        assert session.needed == 5
        for _ in range(10):
            session.next_item(2.5)
        held = Counter(int(topic[item]) for item in session.seen)
        assert 3 <= held[1] <= 4
        assert held[2] <= 1
        assert held[3] >= 2
        assert session.needed == 0


def test_a_test_that_is_precise_enough_ends_with_what_topics_lack():
    pool = in_topics()
    topic = dict(zip(zip(pool.question_id, pool.version, strict=True), pool.topic_id, strict=True))
    session = Selector(pool, delivery(blueprint=BLUEPRINT)).session(1)
    given = []
    while session.needed:
        given.append(int(topic[session.next_item(2.5, only_needed=True).item]))
    assert sorted(given) == [1, 1, 1, 3, 3]
    with pytest.raises(DataError, match="the test can end here"):
        session.next_item(2.5, only_needed=True)


def test_k_are_exchanged_while_serving():
    pool = golden_pool(60)
    selector = Selector(pool, delivery())
    best = selector.next_item(0.0, [], _Zero()).item
    k = np.ones(60)
    k[best[0] - 1] = 0.0
    assert selector.update_k(k) == 1
    assert selector.pool.k.tolist() == k.tolist()
    assert selector.next_item(0.0, [], _Zero()).item != best
    assert selector.update_k(pool) == 1
    assert selector.next_item(0.0, [], _Zero()).item == best
    for bad in (np.ones(59), np.full(60, 1.5), np.full(60, np.nan), "x", controlled(61)):
        with pytest.raises(DataError):
            selector.update_k(bad)
    assert selector.next_item(0.0, [], _Zero()).item == best


def test_another_pool_is_taken_over_and_tests_under_way_go_on():
    pool = in_topics()
    selector = Selector(pool, delivery(blueprint=BLUEPRINT))
    session = selector.session(1)
    for _ in range(5):
        session.next_item(0.5)
    had = list(session.seen)
    # Those five are retired, one of them for a new version; others come in.
    keep = np.array(
        [(q, v) not in had for q, v in zip(pool.question_id, pool.version, strict=True)]
    )
    others = with_columns(pool, keep)
    new = with_columns(
        others,
        slice(None),
        question_id=np.array([had[0][0], 1000, *others.question_id[2:]]),
        version=np.array([2, 1, *others.version[2:]]),
    )
    refreshed = selector.refresh(lambda: new)
    assert refreshed.added == ((had[0][0], 2), (1000, 1))
    assert set(refreshed.retired) >= set(had)
    assert selector.pool is new
    assert type(refreshed.k_changed) is int
    assert json.loads(json.dumps(asdict(refreshed)))["k_changed"] == refreshed.k_changed
    while len(session.seen) < 10:
        session.next_item(0.5)
    assert len({question for question, _ in session.seen}) == 10
    assert session.needed == 0
    topic = {
        (int(q), int(v)): int(t)
        for each in (pool, new)
        for q, v, t in zip(each.question_id, each.version, each.topic_id, strict=True)
    }
    held = Counter(topic[item] for item in session.seen)
    assert 3 <= held[1] <= 4
    assert held[2] <= 1


def test_a_pool_that_cannot_serve_is_refused_and_the_old_one_stays():
    pool = controlled()
    selector = Selector(pool, delivery())
    with pytest.raises(DataError, match="longer than the pool"):
        selector.refresh(controlled(5))

    def broken():
        raise OSError("no database")

    with pytest.raises(OSError, match="no database"):
        selector.refresh(broken)
    assert selector.pool is pool
    same = selector.refresh(pool.with_k(np.full(60, 0.5)))
    assert (same.k_changed, same.added, same.retired) == (60, (), ())


def test_threads_get_what_each_would_get_alone():
    selector = Selector(controlled(), delivery())
    alone = [give(selector, 0.1 * seed, np.random.default_rng(seed)) for seed in range(40)]
    together: dict[int, list[tuple[int, int]]] = {}

    def work(seeds):
        for seed in seeds:
            together[seed] = give(selector, 0.1 * seed, np.random.default_rng(seed))

    threads = [threading.Thread(target=work, args=(range(i, 40, 8),)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[seed] for seed in range(40)] == alone


def test_pools_are_exchanged_under_many_threads():
    pools = [controlled(60), with_columns(controlled(80), slice(10, 80))]
    selector = Selector(pools[0], delivery())
    faults, stop = [], threading.Event()

    def serve(seed):
        try:
            rng = np.random.default_rng(seed)
            while not stop.is_set():
                seen = give(selector, rng.normal(), rng)
                assert len(set(seen)) == 10
        except BaseException as error:  # noqa: BLE001 - told by the test
            faults.append(error)

    threads = [threading.Thread(target=serve, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(40):
        selector.refresh(pools[turn % 2])
        selector.update_k(selector.pool.k)
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.compiled
def test_nothing_is_compiled_while_serving():
    selector = Selector(controlled(), delivery())
    compiled = list(select_item.signatures)
    assert len(compiled) == 1
    for theta in (0, 0.5, np.float32(0.5), np.int64(1), True):
        selector.next_item(theta, [], dice())
        selector.next_item(theta, [(1, 1)], np.random.default_rng(1))
    selector.update_k(np.ones(60))
    selector.refresh(in_topics())
    for rejection in ("position", "examinee"):
        for blueprint in (None, BLUEPRINT):
            other = Selector(in_topics(), delivery(rejection=rejection, blueprint=blueprint))
            session = other.session(1)
            session.next_item(0.3)
            session.next_item(0.3)
    assert select_item.signatures == compiled


def exposure(pool, settings, sessions, ability):
    """Shares of sessions that saw each item, and proposals a session, by position in the pool."""
    rng = np.random.default_rng(11)
    proposed = np.zeros(len(pool), np.int64)
    seen = np.zeros(len(pool), np.int64)
    selector = Selector(pool, settings)
    for seed in range(sessions):
        session = selector.session(seed)
        for theta_hat in ability(session, rng):
            for question, _ in session.next_item(theta_hat).proposed:
                proposed[question - 1] += 1
        for question, _ in session.seen:
            seen[question - 1] += 1
    return seen / sessions, proposed / sessions


def at_true_theta(length):
    def ability(session, rng):
        theta = rng.normal()
        for _ in range(length):
            yield theta

    return ability


def by_eap(pool, length):
    """Answers drawn at a true theta, and the posterior's mean after each."""
    nodes = grid()
    prior = np.exp(-0.5 * nodes**2)
    curves = oracle.probability(nodes, *(x[:, None] for x in (pool.a, pool.b, pool.c)), 1.7)

    def ability(session, rng):
        theta, weight = rng.normal(), prior / prior.sum()
        for _ in range(length):
            yield float(weight @ nodes)
            i = session.seen[-1][0] - 1
            p = oracle.probability(theta, pool.a[i], pool.b[i], pool.c[i], 1.7)
            weight = weight * (curves[i] if rng.random() < p else 1 - curves[i])
            weight /= weight.sum()

    return ability


def agrees(pool, settings, sessions, ability):
    """Whether exposure agrees with the simulation's, within noise over all items."""
    n = 400_000
    predicted = simulate(pool, replace(simulation(n=n), delivery=settings)).exposure
    rate, proposals = exposure(pool, settings, sessions, ability)
    spread = np.sqrt(predicted.rate * (1 - predicted.rate) * (1 / sessions + 1 / n)) + 1e-9
    z = (rate - predicted.rate) / spread
    often = predicted.rate * sessions > 20
    assert often.sum() > 20
    assert np.abs(z[often]).max() < 4.5
    total = predicted.proposed.sum() / n
    assert proposals.sum() == pytest.approx(total, rel=0.1 if sessions < 10_000 else 0.02)
    assert rate.sum() == pytest.approx(settings.length)


@pytest.mark.compiled
@pytest.mark.parametrize("rejection", ["position", "examinee"])
def test_live_exposure_is_what_simulation_says(rejection):
    settings = delivery(8, rejection)
    agrees(controlled(), settings, 3000, at_true_theta(8))


@pytest.mark.compiled
def test_live_exposure_of_an_estimated_test_is_what_simulation_says():
    pool, settings = controlled(), delivery(8, ability="eap")
    agrees(pool, settings, 3000, by_eap(pool, 8))


@pytest.mark.long
@pytest.mark.compiled
@pytest.mark.parametrize("rejection", ["position", "examinee"])
@pytest.mark.parametrize("ability", ["true", "eap"])
def test_live_exposure_over_100_000_sessions(rejection, ability):
    pool, settings = controlled(200), delivery(15, rejection, ability=ability)
    how = at_true_theta(15) if ability == "true" else by_eap(pool, 15)
    agrees(pool, settings, 100_000, how)
