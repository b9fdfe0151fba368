"""The difference of two runs."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from shsim.model.run_record import RunItems
from shsim.report.run_difference import difference_columns


def run(*items: tuple[int, float]) -> SimpleNamespace:
    question, k = zip(*items, strict=True)
    one = np.ones(len(items), dtype=np.int64)
    return SimpleNamespace(
        items=RunItems(np.array(question), one, np.ones(len(items)), np.array(k), one == 0)
    )


def test_an_item_that_a_damaged_ledger_holds_twice_is_told_once() -> None:
    twice, once = run((1, 0.5), (2, 0.5), (2, 0.5)), run((1, 0.5), (2, 0.25))
    for pair in ((twice, once), (once, twice)):
        found = difference_columns(*pair)  # type: ignore[arg-type]
        assert (found["question_id"], found["version"]) == ([2], [1])
        assert {*found["sh_p_first"], *found["sh_p_second"]} == {0.5, 0.25}
