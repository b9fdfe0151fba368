"""What a remedy says to type is understood by the command line as the test it was said of."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_results import TAU, calibration, delivery

from shsim.cli import calibrate as calibrate_options
from shsim.cli import simulate as simulate_options
from shsim.cli.command import given as typed_in
from shsim.cli.work.problems import Problems
from shsim.cli.work.simulation import Request
from shsim.model.ability import AbilityDistribution
from shsim.model.blueprint import Blueprint, TopicRule
from shsim.model.delivery import ABILITIES, DeliverySettings
from shsim.model.item_pool import NO_TOPIC
from shsim.model.settings import CalibrationSettings, settings_as_dict
from shsim.report.remedies import same_test
from shsim.report.verdict import judge_calibration

CONTENT = "[topics.1]\nleast = 2\n[topics.none]\nmost = 3\n"
RULES = (TopicRule(1, 2, None), TopicRule(NO_TOPIC, 0, 3))


def make_context(command: click.Command, words: Sequence[str]) -> click.Context:
    """Words as the command understands them; it keeps its help option, hence with its names."""
    return command.make_context("shsim", [*words], help_option_names=["-h", "--help"])


def parsed(words: Sequence[str]) -> DeliverySettings:
    """The test that the command line understands."""
    context = make_context(simulate_options.command, [*words, "--seed", "7"])
    problems = Problems()
    found = Request(typed=typed_in(context), **context.params).delivery(problems)
    assert not problems._usage
    assert not problems._data
    return found


NUMBER = st.floats(-9, 9)
NORMAL = st.builds(AbilityDistribution.normal, NUMBER, st.floats(0.01, 9))
UNIFORM = st.builds(AbilityDistribution.uniform, st.floats(-9, -1), st.floats(-0.5, 9))


@st.composite
def deliveries(draw: st.DrawFn, folder: Path) -> DeliverySettings:
    ability = draw(st.sampled_from(ABILITIES))
    chosen: dict[str, Any] = {"length": draw(st.integers(1, 10**7))}
    if ability != "true":
        chosen["start"] = draw(st.none() | NUMBER)
        if draw(st.booleans()):
            chosen["se_stop"] = draw(st.floats(0.01, 2))
            chosen["min_len"] = draw(st.none() | st.integers(1, 10**7))
    if ability in {"eap", "map"}:
        chosen["prior"] = draw(st.none() | NORMAL | UNIFORM)
    if draw(st.booleans()):
        chosen["blueprint"] = Blueprint(RULES, str(folder / "it's content.toml"))
    theta = st.builds(AbilityDistribution.fixed, NUMBER) | NORMAL | UNIFORM
    return DeliverySettings(
        ability=ability, theta=draw(theta), scale=draw(st.floats(0.1, 100)), seed=7,
        rejection=draw(st.sampled_from(["position", "examinee"])), **chosen,
    )  # fmt: skip


@settings(deadline=None)
@given(data=st.data())
def test_the_options_of_a_test_are_understood_as_that_test(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "it's content.toml").write_text(CONTENT)
    test = data.draw(deliveries(folder))
    again = parsed(shlex.split(same_test(test)))
    result = calibration()
    assert as_dict(result.settings, again) == as_dict(result.settings, test)


def as_dict(whole: CalibrationSettings, test: DeliverySettings) -> dict[str, Any]:
    return settings_as_dict(replace(whole, delivery=test))


def test_a_prior_from_a_file_is_typed_as_that_file(tmp_path: Path) -> None:
    path = tmp_path / "last year's $theta.txt"
    path.write_text("-1\n0\n2\n")
    prior = AbilityDistribution.empirical([-1.0, 0.0, 2.0], f"file:{path}")
    test = DeliverySettings(ability="eap", theta=prior, prior=prior, seed=7)
    again = parsed(shlex.split(same_test(test)))
    for found in (again.theta, again.prior):
        assert found is not None
        assert found.values.tolist() == [-1.0, 0.0, 2.0]


def test_more_examinees_are_typed_in_digits() -> None:
    result = calibration()
    asked = CalibrationSettings.make(delivery(), tau=TAU, n=250_000)
    missed = replace(result.measures, held=False, over_beyond_noise=1)
    k, exposure = np.full(300, 0.5), result.exposure
    verdict = judge_calibration(result.pool, k, missed, exposure, asked, "converged", None)
    words = (verdict.remedy or "").split(": ")[-1].split()
    assert words == ["--n", "1000000"]
    context = make_context(calibrate_options.command, words)
    assert context.params["n"] == 1_000_000
