"""A test given position by position is the oracle's, draw for draw."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, pairwise

import cat_oracle
import numpy as np
import oracle
import pytest
from kernel_pools import KEY, Pool, pools
from kernel_pools import give as give_in_one_pass

from shsim.kernels import plan
from shsim.kernels.acceptance import make_rule
from shsim.kernels.adaptive import administer_adaptively
from shsim.kernels.desk import (
    GIVEN,
    HISTOGRAM,
    INFORMATION,
    NO_ITEM,
    STANDARD_ERROR,
    THETA_HAT,
    WAIT,
    Journal,
    Sums,
    make_desk,
    make_journal,
    make_sums,
)
from shsim.kernels.grid import make_curves
from shsim.kernels.ranking import build_ranking
from shsim.kernels.sitting import make_examinees
from shsim.kernels.workspace import PROPOSED, SEEN

ANSWERS = np.uint64(0xFEDC_BA98_7654_3210)
ESTIMATORS = ("true", "eap", "map", "mle", "wle")
LENGTH = 7
THETAS = [-2.2, -0.6, 0.1, 0.9, 2.5]

BOTH = pytest.mark.parametrize("by_position", [True, False], ids=["position", "examinee"])
PLAIN = {"start": 0.123}
STOPS = {"se_stop": 0.6, "min_len": 3}
#: Three topics, of which the first is asked for more than it would get by itself.
CONTENT = {"topic": [0, 1, 2] * 8, "least": [3, 1, 0], "most": [7, 2, 3]}
KINDS = {
    "fixed": PLAIN,
    "stops": PLAIN | STOPS,
    "blueprint": PLAIN | CONTENT,
    "stops, blueprint": PLAIN | STOPS | CONTENT,
    "other prior": {"start": -0.4, "mean": 0.3, "sd": 1.4},
}


def pools_of_all_kinds():
    """The kernels' pools, and the 1PL and steep items among them."""
    known = pools()
    b, k = known["ordinary"].b, known["ordinary"].k
    n = len(b)
    more = {
        "1PL": Pool(np.ones(n), b, np.zeros(n), k),
        "steep": Pool(np.geomspace(0.05, 3.5, n), b, known["ordinary"].c, k),
    }
    return known | more


def says_little(name, estimator):
    """Where the maximum is no one's: flat likelihoods, or peaks between nodes of the grid."""
    return ("far" in name and estimator == "mle") or ("extreme" in name and estimator != "eap")


CASES = [
    pytest.param(name, estimator, kind, id=f"{name}-{estimator}-{kind}")
    for name in pools_of_all_kinds()
    for estimator in ESTIMATORS
    for kind in KINDS
    if estimator == "true" or not says_little(name, estimator)
    if estimator != "true" or kind in ("fixed", "blueprint")
]


@dataclass(frozen=True)
class Given:
    """What a kernel call wrote."""

    sums: Sums
    journal: Journal
    strays: int

    def length(self, e):
        return int(self.sums.outcome[e, GIVEN])

    def items(self, e):
        row = self.journal.item[e, : self.length(e)]
        return np.where(row < 0, ~row, row)

    def forced(self, e):
        return self.journal.item[e, : self.length(e)] < 0

    def proposed(self, e):
        """Items proposed at each position."""
        upto = [0, *self.journal.upto[e, : self.length(e)].tolist()]
        row = self.journal.proposed[e].tolist()
        return [row[a:b] for a, b in pairwise(upto)]


def give(design, pool, theta, *, bins=64, depth=None, traced=True, rows=None):
    """Give tests to examinees through the kernel."""
    size, n, length = len(pool.a), len(theta), design.length
    theta = np.asarray(theta, dtype=np.float64)
    weights = np.exp(-0.5 * ((design.nodes - design.mean) / design.sd) ** 2)
    estimator = ESTIMATORS.index(design.estimator)
    normal = (design.mean, design.sd) if design.estimator == "map" else None
    content = plan.no_content()
    if design.topic is not None:
        least, most = np.array(design.least, np.int64), np.array(design.most, np.int64)
        content = plan.Content(np.array(design.topic, np.int32), least, most)
    ranking = build_ranking(pool.items, -3.0, 3.0, depth or size, bins)
    test = plan.Test(
        ranking.tables,
        make_curves(pool.items, design.nodes, weights / weights.sum(), estimator, normal),
        make_rule(pool.k, length, by_position=design.by_position),
        plan.Plan(
            estimator,
            float(design.start),
            design.min_len if design.se_stop else length,
            length,
            float(design.se_stop),
        ),
        content,
    )
    sums = make_sums(size, length, histogram=True, by_decile=True)
    sums = sums._replace(outcome=np.full((n, INFORMATION + 1), np.nan))
    room = size * length if traced else 0
    desk = make_desk(size, length, len(design.nodes), len(content.least), room)
    journal = make_journal(n if rows is None else rows, length, room)
    decile = (np.arange(n) * 10 // n).astype(np.uint8)
    examinees = make_examinees(ranking.tables, theta, decile, 0, KEY, ANSWERS)
    at = strays = 0
    while at < n:  # a patience of 0 ends the call at each stray
        at = administer_adaptively(
            test, examinees, sums, desk, journal, at, 0, np.zeros(1, np.uint8)
        )
        strays += at < n
    assert not desk.state[:, WAIT].any()
    return Given(sums, journal, strays)


def as_the_oracle(design, pool, theta, e):
    key, answer_key = oracle.nth(int(KEY), e), oracle.nth(int(ANSWERS), e)
    return cat_oracle.take_test(design, pool.parameters, pool.k.tolist(), theta, key, answer_key)


def hold_against_the_oracle(design, pool, thetas):
    """Compare every test of the kernel with the oracle's, position by position."""
    given, estimated = give(design, pool, thetas), design.estimator != "true"
    for e, theta in enumerate(thetas):
        expected = as_the_oracle(design, pool, theta, e)
        assert given.items(e).tolist() == expected.items
        assert given.forced(e).tolist() == expected.forced
        assert given.proposed(e) == expected.proposed
        length = len(expected.items)
        journal, outcome = given.journal, given.sums.outcome[e]
        assert (journal.item[e, length:] == NO_ITEM).all()
        ranked_at = [design.start if estimated else theta, *expected.theta_hat[:-1]]
        np.testing.assert_allclose(journal.ranked_at[e, :length], ranked_at, rtol=0, atol=1e-7)
        known = oracle.information(np.array(ranked_at)[:, None], *pool.parameters)
        known = known[np.arange(length), expected.items]
        np.testing.assert_allclose(journal.information[e, :length], known, rtol=1e-5, atol=1e-280)
        if not estimated:
            assert (journal.answer[e] == -1).all()
            assert outcome[:GIVEN].tolist() == [theta, 0.0]
            continue
        assert journal.answer[e, :length].tolist() == expected.answers
        exact = 1e-13 if design.estimator == "eap" else 1e-7
        got = journal.theta_hat[e, :length]
        np.testing.assert_allclose(got, expected.theta_hat, rtol=0, atol=exact)
        errors = journal.standard_error[e, :length]
        np.testing.assert_allclose(errors, expected.error, rtol=1e-6)
        assert outcome[[THETA_HAT, STANDARD_ERROR]].tolist() == [got[-1], errors[-1]]


@BOTH
@pytest.mark.parametrize(("name", "estimator", "kind"), CASES)
def test_each_test_is_the_oracles(name, estimator, kind, by_position):
    pool = pools_of_all_kinds()[name]
    design = cat_oracle.Design(estimator, LENGTH, by_position, **KINDS[kind])
    hold_against_the_oracle(design, pool, THETAS)


@pytest.mark.long
@BOTH
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("seed", range(12))
def test_longer_tests_of_larger_pools_are_the_oracles(seed, estimator, by_position):
    rng, n = np.random.default_rng(seed), 90
    c = rng.uniform(0, 0.35, n) * (seed % 3 > 0)
    d = np.where(rng.random(n) < 0.3, rng.uniform(0.8, 1, n), 1.0) if seed % 2 else None
    a = np.exp(rng.uniform(np.log(0.2), np.log(2.5), n))
    pool = Pool(a, rng.normal(0, 1.2, n), c, rng.uniform(0, 1, n) ** 2, d=d)
    content = {
        "topic": rng.integers(0, 4, n).tolist(),
        "least": [6, 0, 5, 0],
        "most": [9, 3, 5, 20],
    }
    for kind in (PLAIN, PLAIN | {"se_stop": 0.4, "min_len": 5}):
        for more in ({}, content):
            if estimator != "true" or kind == PLAIN:
                design = cat_oracle.Design(estimator, 20, by_position, **kind, **more)
                hold_against_the_oracle(design, pool, rng.normal(0, 1.3, 12))


def test_the_designs_above_take_every_turn():
    pool, forced, lengths, tight = pools()["ordinary"], 0, set(), 0
    for kind in KINDS.values():
        design = cat_oracle.Design("eap", LENGTH, by_position=False, **kind)
        refusing = replace(pool, k=np.full(len(pool.k), 0.02))
        for e, theta in enumerate(THETAS):
            record = as_the_oracle(design, pool, theta, e)
            lengths.add(len(record.items))
            tight += any(record.tight) and not all(record.tight)
            forced += sum(as_the_oracle(design, refusing, theta, e).forced)
    assert len(lengths) > 2
    assert tight > 2
    assert forced > 2


@BOTH
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["ordinary", "runs out", "mixed", "ties", "all refused"])
def test_the_sums_are_those_of_the_journal(name, kind, by_position):
    pool, n = pools()[name], 60
    design = cat_oracle.Design("eap", LENGTH, by_position, **KINDS[kind])
    theta = np.random.default_rng(8).normal(0, 1, n)
    given, size = give(design, pool, theta), len(pool.a)
    seen, by_decile = np.zeros(size, np.int64), np.zeros((10, size), np.int64)
    accepted, rejected = np.zeros((2, size, LENGTH), np.int64)
    lengths, forced = np.zeros(LENGTH + 1, np.int64), 0
    for e in range(n):
        items, length = given.items(e), given.length(e)
        seen[items] += 1
        by_decile[e * 10 // n, items] += 1
        lengths[length] += 1
        forced += given.forced(e).sum()
        times = np.bincount(list(chain(*given.proposed(e))), minlength=size)
        for item in np.flatnonzero(times):
            (accepted if item in items else rejected)[item, times[item] - 1] += 1
        outcome = given.sums.outcome[e]
        assert outcome[GIVEN] == length
        information = oracle.information(theta[e], *pool.parameters)[items].sum()
        assert outcome[INFORMATION] == pytest.approx(information, rel=1e-12)
    counts = given.sums.counts
    assert counts[:, SEEN].tolist() == seen.tolist()
    assert counts[:, HISTOGRAM : HISTOGRAM + LENGTH].tolist() == accepted.tolist()
    assert counts[:, HISTOGRAM + LENGTH :].tolist() == rejected.tolist()
    times = np.arange(1, LENGTH + 1)
    assert counts[:, PROPOSED].tolist() == ((accepted + rejected) @ times).tolist()
    assert given.sums.by_decile.tolist() == by_decile.tolist()
    assert given.sums.lengths.tolist() == lengths.tolist()
    assert given.sums.forced[0] == forced


@BOTH
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("kind", ["fixed", "blueprint"])
def test_bins_depth_and_a_trail_change_nothing(estimator, kind, by_position):
    theta = np.random.default_rng(11).normal(0, 1.3, 40)
    design = cat_oracle.Design(estimator, LENGTH, by_position, **KINDS[kind])
    for name in ("ordinary", "runs out", "mixed", "ties", "extreme a", "far b"):
        pool = pools()[name]
        plain = give(design, pool, theta)
        for bins, depth in ((1, 24), (1, 1), (3, 5), (300, 2), (64, 12)):
            other = give(design, pool, theta, bins=bins, depth=depth, traced=False)
            assert other.journal.item.tolist() == plain.journal.item.tolist(), name
            for ours, theirs in zip(other.sums, plain.sums, strict=True):
                np.testing.assert_array_equal(ours, theirs)
            assert other.strays > 0 or depth > 1


@BOTH
@pytest.mark.parametrize("name", pools())
def test_at_a_true_theta_it_is_the_one_pass_walk(name, by_position):
    pool = pools()[name]
    theta = np.random.default_rng(12).normal(0, 1.3, 100)
    for length in (1, LENGTH, 24):
        design = cat_oracle.Design("true", length, by_position)
        ours = give(design, pool, theta, traced=False, rows=0)
        theirs = give_in_one_pass(pool, theta, length, by_position=by_position)
        assert ours.sums.counts[:, :HISTOGRAM].tolist() == theirs.counts.tolist()
        assert ours.sums.forced[0] == theirs.forced


@pytest.mark.compiled
@BOTH
@pytest.mark.parametrize("kind", ["blueprint", "stops, blueprint"])
@pytest.mark.parametrize("name", ["ordinary", "runs out", "mixed"])
# The long ones are 1.2 million tests together.
@pytest.mark.parametrize("n", [20_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_every_test_meets_the_blueprint(n, name, kind, by_position):
    pool = pools()[name]
    design = cat_oracle.Design("eap", LENGTH, by_position, **KINDS[kind])
    given = give(design, pool, np.random.default_rng(13).normal(0, 1, n), traced=False)
    items = given.journal.item
    items = np.where(items == NO_ITEM, 0, np.where(items < 0, ~items, items))
    length = given.sums.outcome[:, GIVEN].astype(int)
    there = np.arange(LENGTH) < length[:, None]
    once = np.sort(np.where(there, items, 100 + np.arange(LENGTH)), axis=1)
    assert (np.diff(once, axis=1) > 0).all()
    topic = np.where(there, np.array(design.topic)[items], -1)
    for t, (least, most) in enumerate(zip(design.least, design.most, strict=True)):
        taken = (topic == t).sum(axis=1)
        assert taken.min() >= least
        assert taken.max() <= most
    # In the pool with k of 0 the first topic is only had by force, at the very end.
    assert (length.min() < LENGTH) == ("stops" in kind and name != "mixed")
    assert given.sums.forced[0] > 0 or name == "ordinary"
