"""A calibration that goes on from any of its states ends as if it had never stopped."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from kept_runs import InMemory, checkpoint
from pools import NORMAL, calibration, golden_pool

from shsim.errors import CapNotHeldError, DataError
from shsim.model.ability import AbilityDistribution
from shsim.model.blueprint import Blueprint, TopicRule
from shsim.model.checkpoint import Checkpoint, RunIdentity
from shsim.model.delivery import DeliverySettings
from shsim.model.results import CalibrationResult
from shsim.model.settings import CalibrationSettings
from shsim.storage.checkpoint_format import decoded
from shsim.workflow import checkpoints
from shsim.workflow.calibrate import calibrate
from shsim.workflow.checkpoints import Checkpoints

pytestmark = pytest.mark.compiled

QUICK: dict[str, Any] = {"n": 1500, "iters": 24, "verify_n": 4000}
POOL = golden_pool(120, k=np.linspace(0.3, 1, 120))


@pytest.fixture(autouse=True)
def _write_every_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "PERIOD", 0.0)
    monkeypatch.setattr(checkpoints, "SHARE", 0.0)


def adaptive(**delivery: Any) -> CalibrationSettings:
    test = DeliverySettings(length=10, theta=NORMAL, seed=3, **delivery)
    return CalibrationSettings.make(test, tau=0.3, n=300, iters=18, verify_n=1000)


CASES = {
    "position": calibration(10, **QUICK),
    "examinee": calibration(10, "examinee", **QUICK),
    "converging": calibration(10, "examinee", n=8192, verify_n=4000, tau=0.3, tol=0.05),
    "restarted": calibration(10, restart=True, **QUICK),
    "damped": calibration(10, method="damped", **QUICK),
    "first script": calibration(
        10, method="damped", decay=0.0, alpha=0.6, n=500, iters=6, verify_n=4000
    ),
    "eap": adaptive(ability="eap"),
    "wle, by examinee": adaptive(ability="wle", rejection="examinee", se_stop=0.4),
}


def run(
    settings: CalibrationSettings, file: InMemory, *, resume: bool = False, **options: Any
) -> tuple[CalibrationResult, list[str]]:
    said: list[str] = []
    keeper = Checkpoints(file, resume=resume, note=said.append, warn=said.append)  # type: ignore[arg-type]
    with keeper:
        return calibrate(POOL, settings, checkpoints=keeper, **options), said


def untimed(result: CalibrationResult) -> list[Any]:
    """All that a run found, but for the time it took."""
    return [
        result.k.tobytes(),
        [replace(record, seconds=0.0) for record in result.history],
        repr((result.stopped, result.origin, result.before, result.measures, result.verdict)),
        result.exposure.seen.tobytes(),
        result.when_estimated,
    ]


@pytest.mark.parametrize("name", CASES)
def test_every_state_leads_to_the_same_end(name: str) -> None:
    settings = CASES[name]
    whole = calibrate(POOL, settings)
    file = InMemory()
    kept, _ = run(settings, file)
    assert untimed(kept) == untimed(whole)
    assert len(file.kept) == len(whole.history)
    assert whole.converged == (name in {"converging", "examinee"})
    last = len(file.kept) - 1
    for t in {0, 1, last // 3, last // 2, last - 1, last}:
        threads = 1 + t % 3
        resumed, said = run(settings, InMemory(file.kept[t]), resume=True, threads=threads)
        assert untimed(resumed) == untimed(whole)
        (sentence,) = said
        assert sentence.startswith(f"going on after iteration {t + 1} of {settings.iters}, with")


def test_states_of_a_resumed_run_are_those_of_the_whole() -> None:
    settings = CASES["position"]
    file = InMemory()
    run(settings, file)
    resumed = InMemory(file.kept[4])
    run(settings, resumed, resume=True)
    for one, other in zip(resumed.kept, file.kept[5:], strict=True):
        a, b = decoded(one).state, decoded(other).state
        assert (a.done, a.averaged, a.examinees) == (b.done, b.averaged, b.examinees)
        for x, y in ((a.k, b.k), (a.log_sum, b.log_sum), (a.seen, b.seen)):
            assert x.tobytes() == y.tobytes()


def test_only_the_last_state_is_written_by_a_run_that_is_over_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoints, "PERIOD", 1000.0)
    file = InMemory()
    run(CASES["position"], file)
    assert len(file.kept) == 1
    assert b'"stopped": "iterations"' in file.kept[0]


def test_a_run_that_fails_leaves_its_last_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "PERIOD", 1000.0)
    for fault, written in ((KeyboardInterrupt(), 1), (DataError("x"), 1), (CapNotHeldError(), 0)):
        file = InMemory()
        keeper = Checkpoints(file, resume=False, note=print, warn=print)  # type: ignore[arg-type]
        state = checkpoint(len(POOL))
        keeper.begin(POOL, CASES["position"])
        file.content = b""
        keeper.keeping(state.before, state.origin)(state.state)
        with pytest.raises(type(fault)), keeper:
            raise fault
        assert len(file.kept) == written
        assert (file.content is None) == (written == 0)


class Full(InMemory):
    """A disk that is full for a while."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self.left = writes

    def write(self, made: Checkpoint) -> None:
        self.left -= 1
        if self.left >= 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(made)


@pytest.mark.parametrize("writes", [1, 5, 1000])
def test_a_full_disk_is_said_once_and_ends_nothing(writes: int) -> None:
    settings = CASES["position"]
    file = Full(writes)
    result, said = run(settings, file)
    assert untimed(result) == untimed(calibrate(POOL, settings))
    assert len(file.kept) == max(24 - writes, 0)
    (sentence,) = said
    assert sentence.startswith("--checkpoint memory: No space left on device. The run goes on;")


def test_a_large_file_on_a_slow_disk_is_written_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SHARE", 1e9)
    file = InMemory()
    run(CASES["position"], file)
    assert len(file.kept) == 2  # the first, and the last


def test_the_same_is_no_other_run_whatever_it_is_called() -> None:
    identity = RunIdentity.of("1", POOL, CASES["position"])
    assert identity.differences(RunIdentity.of("1", POOL, CASES["position"])) == []
    assert (
        identity.differences(RunIdentity.of("1", replace(POOL, name="X"), CASES["position"])) == []
    )


@pytest.mark.parametrize("column", ["question_id", "version", "topic_id", "a", "b", "c", "d", "k"])
def test_one_other_number_in_the_pool_makes_another_run(column: str) -> None:
    values = getattr(POOL, column).copy()
    values[7] = np.nextafter(values[7], 0) if values.dtype == np.float64 else values[7] + 1
    other = replace(POOL, name="OTHER", **{column: values})
    settings = CASES["position"]
    found = RunIdentity.of("1", POOL, settings).differences(RunIdentity.of("1", other, settings))
    if column == "k":
        assert found == ["the k in force have changed since"]
    else:
        assert found == ["the items differ (that pool was TEST, this one is OTHER)"]


def test_every_difference_is_named() -> None:
    def identity(program: str = "1", theta: Any = NORMAL, **changed: Any) -> RunIdentity:
        delivery = DeliverySettings(theta=theta, seed=changed.pop("seed", 1), **changed)
        return RunIdentity.of(program, POOL, CalibrationSettings.make(delivery))

    first = identity()
    assert first.differences(identity("2", seed=2**62)) == [
        "shsim was 1 and is 2", "--seed was 1 and is 4611686018427387904",
    ]  # fmt: skip
    assert first.differences(identity(length=20, scale=1.0)) == [
        "--len was 30 and is 20", "--scale was 1.7 and is 1.0",
    ]  # fmt: skip
    assert first.differences(identity(ability="eap", prior=NORMAL, start=0.5)) == [
        "--ability was true and is eap",
        "--start was not given and is 0.5",
        "--prior was not given and is normal:0,1",
    ]
    rule = Blueprint((TopicRule(1, 2, 3),))
    assert 'and is {"1": {"least": 2, "most": 3}}' in str(
        first.differences(identity(blueprint=rule))
    )
    file = AbilityDistribution.empirical([0.0, 1.0], "file:a")
    same, other = (
        AbilityDistribution.empirical(values, "file:b") for values in ([1.0, 0.0], [0.0, 1.5])
    )
    assert identity(theta=file).differences(identity(theta=same)) == []
    assert len(identity(theta=file).differences(identity(theta=other))) == 1


SETTINGS = {
    "tau": 0.31, "n": 1501, "iters": 25, "alpha": 0.9, "decay": 0.7, "floor": 0.01, "ceil": 0.9,
    "target": 0.99, "tol": 0.02, "restart": True, "verify_n": 4001, "nodes": 4000,
    "method": "damped",
}  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_another_setting_is_refused_by_its_name(name: str) -> None:
    file = InMemory()
    run(CASES["position"], file)
    other = calibration(10, **{**QUICK, name: SETTINGS[name]})
    with pytest.raises(DataError, match=rf"of another run: .*--{name.replace('_', '-')} was ") as e:
        run(other, InMemory(file.kept[3]), resume=True)
    assert len(e.value.problems) == 1
