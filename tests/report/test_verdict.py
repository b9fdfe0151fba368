"""Each verdict comes from a real run, and what it says to type does help."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import made_up_results
import numpy as np
import pytest
from pools import calibration, golden_pool, same_ranking, simulation

from shsim.model.ability import AbilityDistribution
from shsim.model.control import Control
from shsim.model.results import Reasons
from shsim.model.settings import CalibrationSettings
from shsim.report.telling import give_more
from shsim.report.verdict import judge_calibration
from shsim.workflow.calibrate import calibrate
from shsim.workflow.simulate import simulate

pytestmark = pytest.mark.compiled

FIXED = AbilityDistribution.fixed(0.0)
VERIFIED = 100_000
#: An option as a remedy writes it, to the argument of `pools.calibration`.
ARGUMENTS = {
    "--floor": ("floor", float), "--ceil": ("ceil", float), "--tau": ("tau", float),
    "--n": ("n", int), "--iters": ("iters", int), "--alpha": ("alpha", float),
    "--decay": ("decay", float), "--target": ("target", float), "--len": ("length", int),
    "--rejection": ("rejection", str), "--scale": ("scale", float),
    "--theta": ("theta", AbilityDistribution.parse),
}  # fmt: skip


def typed(remedy):
    """The arguments that a remedy's options stand for."""
    words = shlex.split(remedy.rstrip("."))
    options = [i for i, word in enumerate(words) if word in ARGUMENTS and i + 1 < len(words)]
    found = {}
    for i in options:
        name, read = ARGUMENTS[words[i]]
        if re.match(r"[-\w.:]", words[i + 1]) and words[i + 1] not in {"or"}:
            found[name] = read(words[i + 1].rstrip(","))
    return found


def run(pool, **settings):
    return calibrate(pool, calibration(**{"verify_n": VERIFIED, **settings}))


def plain(verdict):
    """Short sentences of printed words, each with its full stop."""
    for text in filter(None, (verdict.sentence, verdict.remedy)):
        assert len(text) < 320
        assert not re.search(r"nan|inf\b|None|[{}]|\s\s|\be-", text)
    assert verdict.sentence.endswith(".")


def missed(pool, reason, **settings):
    """A run that misses its cap for this reason; its verdict."""
    verdict = run(pool, **settings).verdict
    assert not verdict.held
    assert verdict.reason == reason, verdict
    plain(verdict)
    return verdict


def test_a_held_cap_says_by_how_much_and_what_would_have_shown():
    result = run(golden_pool())
    verdict, measures = result.verdict, result.measures
    assert verdict.held
    assert verdict.reason is None
    assert verdict.remedy is None
    assert verdict.sentence == (
        "The cap of 0.2 is held: the largest exposure among 100,000 fresh examinees is"
        f" {measures.max_exposure:.4f}, no item is over beyond noise, and an excess of"
        f" {measures.visible_excess:.1%} would have shown."
    )
    plain(verdict)


@pytest.mark.parametrize(
    ("n", "control", "begins"),
    [
        (1, "sh", "Whether the cap of 0.2 is held can't be told: 1 examinee is too few"),
        (3, "none", "Whether the cap of 0.2 is held without control can't be told: 3 examinees"),
    ],
)
def test_a_few_examinees_tell_nothing_and_the_verdict_says_how_many_do(n, control, begins):
    settings = replace(simulation(10, n=n), control=Control.parse(control))
    verdict = simulate(golden_pool(60), settings).verdict
    assert (verdict.held, verdict.reason) == (None, "too_few")
    assert verdict.sentence.startswith(begins)
    assert verdict.remedy == "Give more: --n 200000"
    plain(verdict)


def test_a_table_judged_by_a_few_is_neither_held_nor_missed():
    verdict = run(golden_pool(60), length=4, n=500, iters=3, verify_n=10).verdict
    assert (verdict.held, verdict.reason) == (None, "too_few")
    assert verdict.remedy == "Give more: --verify-n 640000"
    plain(verdict)


def test_where_the_default_is_too_few_more_is_asked_for():
    limit = (0.99, 0.01)
    assert give_more("--n", 100, 99, 480, limit) == "Give more: --n 1000000"
    assert give_more("--n", 100, 100, 480, (0.2, 0.01)) == "Give more: --n 1000"


def test_a_cap_that_any_table_holds_claims_no_more():
    verdict = simulate(golden_pool(60), simulation(10, n=100, tau=0.995)).verdict
    assert verdict.sentence.startswith("The cap of 0.995 is held, as any would be: the largest")
    assert verdict.held is True
    plain(verdict)


@pytest.mark.parametrize(
    ("rejection", "floor"), [("position", 0.1), ("position", 0.5), ("examinee", 0.5)]
)
def test_a_floor_that_is_too_high(rejection, floor):
    pool = golden_pool(200)
    settings = {"length": 12, "rejection": rejection, "floor": floor}
    verdict = missed(pool, "floor", **settings)
    assert "The floor keeps" in verdict.sentence
    assert f"at the floor {floor:g}." in verdict.remedy
    assert re.search(r"\d+ items? \(\d+/1", verdict.remedy)
    assert run(pool, **(settings | typed(verdict.remedy))).verdict.held


def test_where_no_floor_helps_the_cap_that_can_be_met_is_named():
    pool = golden_pool(60)
    settings = {"length": 12, "tau": 0.2001, "floor": 0.1}
    verdict = missed(pool, "infeasible", **settings)
    assert "The floor keeps" not in verdict.sentence
    assert verdict.remedy.startswith("The smallest cap that was met is 0.2")
    assert run(pool, **(settings | typed(verdict.remedy))).verdict.held


def test_a_floor_of_nought_that_holds_items_at_nought():
    pool = golden_pool(40, k=np.zeros(40))
    verdict = missed(pool, "floor", length=4, floor=0.0, n=1000, iters=5)
    assert "k = 0" in verdict.remedy
    assert run(pool, length=4, **typed(verdict.remedy)).verdict.held


@pytest.mark.parametrize(("rejection", "ceil"), [("position", 0.002), ("examinee", 0.05)])
def test_a_ceiling_that_forces(rejection, ceil):
    pool = golden_pool(40)
    settings = {"length": 4, "rejection": rejection, "ceil": ceil}
    verdict = missed(pool, "ceil", n=1000, iters=5, **settings)
    assert run(pool, **(settings | typed(verdict.remedy))).verdict.held


@pytest.mark.parametrize("rejection", ["position", "examinee"])
def test_a_cap_that_the_pool_cannot_meet(rejection):
    pool = same_ranking(8)
    settings = {"length": 2, "rejection": rejection, "theta": FIXED, "tau": 0.25}
    for _ in range(4):
        verdict = run(pool, **settings).verdict
        if verdict.held:
            break
        assert verdict.reason == "infeasible"
        plain(verdict)
        larger = typed(verdict.remedy)["tau"]
        assert settings["tau"] < larger <= 1
        settings["tau"] = larger
    assert 0.26 < settings["tau"] < 0.34
    assert verdict.held


def followed(pool, first, **settings):
    """Type what each verdict says until the cap is held; the reasons on the way."""
    reasons = [first]
    verdict = missed(pool, first, **settings)
    while not verdict.held and len(reasons) < 4:
        settings |= typed(verdict.remedy)
        verdict = run(pool, **settings).verdict
        reasons.append(verdict.reason)
    assert verdict.held, (reasons, verdict)
    return reasons


def test_too_few_examinees():
    reasons = followed(golden_pool(200), "examinees", length=12, n=16, iters=20)
    assert len(reasons) <= 3


def test_too_few_iterations():
    assert followed(golden_pool(200), "iterations", length=12, iters=2) == ["iterations", None]


def test_a_step_too_small():
    reasons = followed(golden_pool(200), "iterations", length=12, alpha=0.01)
    assert reasons == ["iterations", None]


def test_the_first_script_s_own_settings():
    settings = {
        "method": "damped", "n": 500, "iters": 6, "alpha": 0.6, "decay": 0.0, "floor": 0.02,
    }  # fmt: skip
    reasons = followed(golden_pool(200), "examinees", length=12, **settings)
    assert len(reasons) <= 3


@pytest.mark.parametrize(
    ("smallest", "method", "typed_too", "remedy"),
    [
        (0.2001, "classical", {"n": 500, "iters": 3}, "smallest cap that was met is 0.2001. Give"),
        (0.195, "classical", {}, "Give --method exact"),
        (0.195, "damped", {}, "Give --method exact"),
        (0.195, "classical", {"n": 500, "iters": 3},
         "Give --method exact, and leave out --n and --iters"),
        (0.195, "exact", {"iters": 3}, "Give the rule more room: --iters 200"),
        (0.15, "classical", {"iters": 3}, "Give the rule more room: --iters 100"),
    ],
)  # fmt: skip
def test_near_the_smallest_cap_what_to_type_is_said_the_first_time(
    smallest, method, typed_too, remedy
):
    made = made_up_results.calibration()
    asked = CalibrationSettings.make(
        made_up_results.delivery(), tau=0.2, method=method, **typed_too
    )
    missed = replace(made.measures, held=False, over_beyond_noise=1)
    reasons = Reasons(smallest, None, (), ())
    verdict = judge_calibration(
        made.pool, np.full(300, 0.5), missed, made.exposure, asked, "iterations", reasons
    )
    assert remedy in verdict.remedy
    assert verdict.remedy.endswith(remedy) or smallest > 0.2
    assert (verdict.reason == "infeasible") is (smallest > 0.2)
    plain(verdict)


@pytest.mark.parametrize(
    "test",
    [
        {"length": 12},
        {"length": 12, "rejection": "examinee"},
        {"length": 12, "theta": AbilityDistribution.parse("uniform:-2,1")},
    ],
)
def test_the_k_in_force_miss_until_they_are_calibrated(test):
    pool = golden_pool(200)
    verdict = simulate(pool, simulation(n=VERIFIED, **test)).verdict
    assert verdict.reason == "in_force"
    assert verdict.remedy.startswith("Calibrate: shsim calibrate")
    plain(verdict)
    result = run(pool, **typed(verdict.remedy))
    delivery = result.settings.delivery
    assert delivery.rejection == test.get("rejection", "position")
    assert delivery.theta.spelling == test.get("theta", delivery.theta).spelling
    again = simulate(pool.with_k(result.k), simulation(n=VERIFIED, **test)).verdict
    assert again.held


def test_a_file_of_abilities_is_quoted_for_the_shell():
    theta = AbilityDistribution.empirical([0.0, 1.0], "file:my abilities.txt")
    verdict = simulate(golden_pool(100), simulation(10, theta=theta, n=20_000)).verdict
    assert shlex.split(verdict.remedy)[-1] == "file:my abilities.txt"


def test_no_k_holds_a_cap_under_the_mean_exposure():
    verdict = simulate(golden_pool(100), simulation(10, tau=0.05, n=20_000)).verdict
    assert verdict.reason == "infeasible"
    assert "10 items a test from 100 give a mean exposure of 0.1." in verdict.remedy
    plain(verdict)
