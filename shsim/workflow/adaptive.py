"""Tests under Sympson-Hetter control: an estimated ability, stopping rules, content."""

from __future__ import annotations

from collections.abc import Callable

from shsim.arrays import FloatArray
from shsim.kernels.adaptive import administer_adaptively
from shsim.kernels.desk import Desk, Sums, make_journal
from shsim.kernels.ranking import Ranking
from shsim.kernels.sitting import Examinees
from shsim.workflow.examinees import Cohort
from shsim.workflow.stepwise import StepwiseTests
from shsim.workflow.totals import Totals


class AdaptiveTests(StepwiseTests):
    """Tests of one pool, position by position, in which items are accepted or rejected."""

    def run(
        self,
        cohort: Cohort,
        k: FloatArray,
        *,
        histogram: bool = False,
        measure: bool = False,
        advance: Callable[[int], None] | None = None,
    ) -> Totals:
        """Test every examinee of the cohort; see :class:`shsim.workflow.totals.Tests`."""
        test = self.test(k)
        unwritten = make_journal(0, test.plan.longest, 0)
        cancel = self._executor.cancel

        def give(
            examinees: Examinees, sums: Sums, desk: Desk, ranking: Ranking, at: int, patience: int
        ) -> int:
            return administer_adaptively(
                test._replace(tables=ranking.tables),
                examinees, sums, desk, unwritten, at, patience, cancel,
            )  # fmt: skip

        return self.over(
            cohort,
            give,
            cohort.acceptance_key,
            histogram=histogram,
            measure=measure,
            advance=advance,
        )
