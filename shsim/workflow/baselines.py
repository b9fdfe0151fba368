"""Tests under the exposure control of other programmes."""

from __future__ import annotations

from collections.abc import Callable

from shsim.arrays import FloatArray
from shsim.kernels.baselines import (
    ELIGIBILITY,
    PROGRESSIVE,
    RANDOMESQUE,
    RESTRICTED,
    Programme,
    administer_baseline,
    make_past,
)
from shsim.kernels.desk import Desk, Sums, make_journal
from shsim.kernels.ranking import Ranking
from shsim.kernels.sitting import Examinees
from shsim.model.control import Control, ControlKind
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor
from shsim.workflow.stepwise import StepwiseTests
from shsim.workflow.totals import Totals

_KINDS: dict[ControlKind, int] = {
    "randomesque": RANDOMESQUE,
    "progressive": PROGRESSIVE,
    "restricted": RESTRICTED,
    "eligibility": ELIGIBILITY,
}


class BaselineTests(StepwiseTests):
    """Tests of one pool under one control, which goes by the cap `tau` if by any."""

    def __init__(
        self,
        executor: Executor,
        pool: ItemPool,
        delivery: DeliverySettings,
        control: Control,
        tau: float,
    ) -> None:
        super().__init__(executor, pool, delivery)
        self._control = control
        self._tau = tau

    def run(
        self,
        cohort: Cohort,
        k: FloatArray,
        *,
        histogram: bool = False,
        measure: bool = False,
        advance: Callable[[int], None] | None = None,
    ) -> Totals:
        """Test every examinee of the cohort, the first of whom nobody has come before.

        `k` is not used; an item counts as proposed when it is given. See
        :class:`shsim.workflow.totals.Tests`.
        """
        test = self.test(k)
        programme = Programme(
            test, _KINDS[self._control.kind], max(self._control.size, 1), float(self._tau),
            make_past(len(k)),
        )  # fmt: skip
        unwritten = make_journal(0, test.plan.longest, 0)
        cancel = self._executor.cancel

        def give(
            examinees: Examinees, sums: Sums, desk: Desk, ranking: Ranking, at: int, patience: int
        ) -> int:
            deepened = programme._replace(test=test._replace(tables=ranking.tables))
            return administer_baseline(
                deepened, examinees, sums, desk, unwritten, at, patience, cancel
            )

        return self.over(
            cohort,
            give,
            cohort.control_key,
            histogram=histogram,
            measure=measure,
            in_order=self._control.in_order,
            advance=advance,
        )
