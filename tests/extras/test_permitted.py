"""What an operator's limits refuse, before anything is queued."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest
from pools import calibration, golden_pool, simulation

from shsim.extras.admin_api.permitted import over_for_pool
from shsim.extras.admin_api.problems import Problem
from shsim.extras.admin_api.requests import CalibrationRequest, SimulationRequest, SweepRequest
from shsim.extras.admin_api.settings import Limits
from shsim.workflow.executor import Executor
from shsim.workflow.expectation import Expectation, working_bytes

LIMITS = Limits(nodes=1000, work=1_000_000, mb=100)

Request = CalibrationRequest | SimulationRequest | SweepRequest


def said(request: type[Request], **sent: Any) -> list[str]:
    """What is wrong with a request, if anything."""
    try:
        request.model_validate({"exam_code": "E", "nodes": 500, **sent}).settings(LIMITS)
    except Problem as problem:
        return problem.detail.splitlines()
    return []


@pytest.mark.parametrize(
    ("request_of", "sent", "most", "over"),
    [
        (CalibrationRequest, {"n": 1000, "test_len": 10}, {"iters": 100}, "n x iters x test"),
        (CalibrationRequest, {"method": "exact", "iters": 8}, {"test_len": 250}, "nodes x iters"),
        (SimulationRequest, {"nodes": None, "n": 500}, {"test_len": 2000}, "n x test length"),
        (SimulationRequest, {"method": "exact"}, {"test_len": 2000}, "nodes x test length"),
        (
            SimulationRequest,
            {"nodes": None, "compare": ["none", "sh"], "test_len": 25},
            {"n": 20_000},
            "n x controls x",
        ),
        (CalibrationRequest, {"n": 10, "ceil": 0.01, "test_len": 10}, {"iters": 100}, "1/ceil"),
        (SweepRequest, {"tau": [0.2, 0.3], "iters": 20}, {"test_len": [10, 40]}, "values of tau"),
    ],
)
def test_work_as_a_whole(
    request_of: type[Request], sent: dict[str, Any], most: dict[str, Any], over: str
) -> None:
    ((name, value),) = most.items()
    more = [*value, 1] if isinstance(value, list) else value + 1
    assert said(request_of, **sent, **most) == []
    (found,) = said(request_of, **sent, **{name: more})
    assert over in found
    assert found.endswith("is too much: this server permits 1,000,000 (shsim serve --most-work).")


def test_memory_is_of_the_nodes_and_the_pool() -> None:
    settings = calibration(length=25, nodes=100_000)
    assert list(over_for_pool(LIMITS, "E", 90, settings)) == []
    (found,) = over_for_pool(LIMITS, "E", 500, settings)
    assert "100,000 nodes, 500 items and test_len 25 take 503 MB of memory" in found
    assert "this server permits 100 (shsim serve --most-mb)" in found
    assert list(over_for_pool(LIMITS, "E", 5000, calibration(length=10, nodes=1000))) == []
    (found,) = over_for_pool(LIMITS, "E", 20_000, calibration(length=10, nodes=1000, ceil=0.01))
    assert "take 237 MB" in found
    # No node is looked at.
    assert list(over_for_pool(LIMITS, "E", 500, simulation(nodes=100_000))) == []


def test_memory_is_what_it_takes() -> None:
    pool, settings = golden_pool(500), calibration(length=25)
    with Executor(pool, settings.delivery, 1) as executor:
        executor.prepare()
        tracemalloc.start()
        expectation = Expectation(executor, pool, settings.delivery, 20_000)
        expectation.of(pool.k * 0.2)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert 0.5 < peak / working_bytes(20_000, 500, 25) < 1.3  # executors' tables are beside it
