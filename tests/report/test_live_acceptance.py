"""Whether attempts by proposal agree with k."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from shsim.report.live_acceptance import judge_acceptance

SINCE = datetime(2026, 1, 31, tzinfo=UTC)


def off(proposals, attempts, k):
    judged = judge_acceptance(SINCE, np.array([proposals]), np.array([attempts]), np.array([k]))
    return int(judged.off[0])


@pytest.mark.parametrize(
    ("proposals", "attempts", "k", "wanted"),
    [
        (0, 0, 0.5, 0),
        (10_000, 5000, 0.5, 0),
        (10_000, 4600, 0.5, 0),  # eight percent of the tests were broken off
        (10_000, 4000, 0.5, -1),
        (10_000, 6000, 0.5, 1),
        (10, 3, 0.5, 0),  # few
        (10_000, 10_000, 1.0, 0),
        (10_000, 9300, 1.0, 0),
        (10_000, 5000, 1.0, -1),
        (10_000, 10_000, 0.5, 1),
        (10_000, 10_400, 1.0, 0),
        (10_000, 20_000, 1.0, 1),
        (3, 9, 0.001, 0),  # forced
        (10_000, 100, 0.0, 1),
        (10_000, 0, 0.0, 0),
    ],
)
def test_one_item(proposals, attempts, k, wanted):
    assert off(proposals, attempts, k) == wanted


def test_chance_flags_few():
    rng = np.random.default_rng(1)
    k = rng.uniform(0.01, 1, 400)
    proposals = rng.integers(0, 20_000, 400)
    flagged = 0
    for _ in range(20):
        judged = judge_acceptance(SINCE, proposals, rng.binomial(proposals, k), k)
        flagged += int(np.count_nonzero(judged.off))
    assert flagged <= 2
    assert np.isnan(judged.acceptance[proposals == 0]).all()
