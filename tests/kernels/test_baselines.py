"""Other programmes' controls are, item for item, what their authors describe."""

from __future__ import annotations

import baseline_oracle
import numpy as np
import oracle
import pytest
from baseline_oracle import Design, Past
from kernel_pools import KEY, pools

from shsim.kernels import plan
from shsim.kernels.acceptance import make_rule
from shsim.kernels.baselines import (
    ELIGIBILITY,
    PROGRESSIVE,
    RANDOMESQUE,
    RESTRICTED,
    Programme,
    administer_baseline,
    make_past,
)
from shsim.kernels.desk import NO_ITEM, make_desk, make_journal, make_sums
from shsim.kernels.grid import make_curves
from shsim.kernels.plan import EAP, TRUE, Content, Plan, no_content
from shsim.kernels.ranking import build_ranking
from shsim.kernels.sitting import make_examinees

ANSWERS = np.uint64(0xFEDC_BA98_7654_3210)
KINDS = {
    "randomesque": RANDOMESQUE,
    "progressive": PROGRESSIVE,
    "restricted": RESTRICTED,
    "eligibility": ELIGIBILITY,
}
CONTROLS = [
    ("randomesque", 1, 1.0),
    ("randomesque", 4, 1.0),
    ("randomesque", 99, 1.0),
    ("progressive", 1, 1.0),
    ("restricted", 1, 0.5),
    ("restricted", 1, 0.2),
    ("restricted", 1, 1.0),
    ("eligibility", 1, 0.5),
    ("eligibility", 1, 0.2),
]
NAMES = [f"{kind}-{size}-{tau:g}" for kind, size, tau in CONTROLS]
POOLS = ["ordinary", "ties", "extreme a", "upper asymptotes"]
THETA = np.random.default_rng(8).normal(0, 1.5, 24)


def design_of(*, estimated, blueprint, se_stop=0.0):
    nodes = np.linspace(-4, 4, 64)
    weights = np.exp(-0.5 * nodes * nodes)
    topics = {"topic": np.arange(24) % 3, "least": [4, 1, 0], "most": [5, 3, 1]}
    estimation = {"nodes": nodes, "weights": weights / weights.sum(), "se_stop": se_stop}
    return Design(
        length=7, start=0.3, **estimation if estimated else {}, **topics if blueprint else {}
    )


def give(pool, design, control, *, depth=24, bins=64, parts=1):
    """The journal's items, and sums, from the kernel; in `parts` calls."""
    kind, size, tau = control
    n = len(THETA)
    nodes = np.linspace(-4, 4, 2) if design.nodes is None else design.nodes
    weights = np.ones(len(nodes)) if design.nodes is None else design.weights
    estimator = TRUE if design.nodes is None else EAP
    content = no_content()
    if design.topic is not None:
        content = Content(
            design.topic.astype(np.int32), np.array(design.least), np.array(design.most)
        )
    shortest = 1 if design.se_stop else design.length
    test = plan.Test(
        build_ranking(pool.items, -3.0, 3.0, depth, bins).tables,
        make_curves(pool.items, nodes, weights, estimator),
        make_rule(np.ones(24), design.length, by_position=True),
        Plan(estimator, design.start, shortest, design.length, design.se_stop),
        content,
    )
    programme = Programme(test, KINDS[kind], size, tau, make_past(24))
    sums = make_sums(24, design.length, histogram=False, by_decile=True)
    desk = make_desk(24, design.length, len(nodes), len(content.least))
    items = []
    strays = 0
    for part in np.array_split(np.arange(n), parts):
        examinees = make_examinees(
            test.tables, THETA[part], np.zeros(len(part), np.uint8), int(part[0]), KEY, ANSWERS
        )._replace(order=np.arange(len(part)))
        journal = make_journal(len(part), design.length, 0)
        at = 0
        while at < len(part):
            at = administer_baseline(
                programme, examinees, sums, desk, journal, at, 0, np.zeros(1, np.uint8)
            )
            strays += at < len(part)
        items.extend(journal.item.tolist())
    given = [[item for item in row if item != NO_ITEM] for row in items]
    return given, sums, strays


def literally(pool, design, control):
    past, found = Past(24), []
    for e, theta in enumerate(THETA.tolist()):
        keys = oracle.nth(int(KEY), e), oracle.nth(int(ANSWERS), e)
        given, forced = baseline_oracle.take_test(
            design, control, pool.parameters, theta, keys, past
        )
        found.append([~i if f else i for i, f in zip(given, forced, strict=True)])
    return found, past


@pytest.mark.parametrize("blueprint", [False, True], ids=["free", "blueprint"])
@pytest.mark.parametrize("estimated", [False, True], ids=["true", "eap"])
@pytest.mark.parametrize("control", CONTROLS, ids=NAMES)
@pytest.mark.parametrize("name", POOLS)
def test_items_are_those_of_the_literal_loop(name, control, estimated, blueprint):
    pool = pools()[name]
    design = design_of(estimated=estimated, blueprint=blueprint)
    expected, past = literally(pool, design, control)
    given, sums, _ = give(pool, design, control)
    assert given == expected
    assert sums.counts[:, 0].tolist() == sums.counts[:, 1].tolist() == past.seen
    assert sums.forced[0] == sum(item < 0 for row in expected for item in row)
    assert sums.by_decile.sum(axis=0).tolist() == past.seen
    kind, _, tau = control
    if kind == "restricted" and tau < 7 / 24:
        assert sums.forced[0] > 0
    if kind in {"randomesque", "progressive"}:
        assert sums.forced[0] == 0


@pytest.mark.parametrize("control", CONTROLS, ids=NAMES)
def test_bins_depth_and_calls_change_nothing(control):
    pool = pools()["ordinary"]
    design = design_of(estimated=True, blueprint=True)
    plain, sums, _ = give(pool, design, control)
    for other in ({"depth": 1, "bins": 1}, {"depth": 5, "bins": 300}, {"parts": 5}):
        given, other_sums, strays = give(pool, design, control, **other)
        assert given == plain
        assert other_sums.counts.tolist() == sums.counts.tolist()
        if other.get("depth") == 1 and control[0] != "progressive":
            assert strays > 0


@pytest.mark.parametrize("control", CONTROLS, ids=NAMES)
def test_a_stopping_rule_ends_a_test_under_any_control(control):
    pool = pools()["ordinary"]
    design = design_of(estimated=True, blueprint=False, se_stop=0.6)
    given, sums, _ = give(pool, design, control)
    assert given == literally(pool, design, control)[0]
    lengths = [len(row) for row in given]
    assert min(lengths) < 7
    assert sums.lengths.tolist() == np.bincount(lengths, minlength=8).tolist()


def test_the_first_item_is_any_of_the_best():
    pool = pools()["ordinary"]
    first = design_of(estimated=True, blueprint=False)
    given, _, _ = give(pool, first, ("randomesque", 4, 1.0))
    assert {row[0] for row in given} == set(oracle.ranking(first.start, *pool.parameters)[:4])
