"""`trace`: a few tests, position by position, by the kernel that gives all the others."""

from __future__ import annotations

from collections.abc import Iterator

from shsim.kernels.adaptive import administer_adaptively
from shsim.kernels.desk import NO_ITEM, Journal, make_journal, make_sums
from shsim.kernels.ranking import Ranking
from shsim.kernels.rng import STREAM_SIMULATE
from shsim.kernels.sitting import make_examinees
from shsim.model.item_pool import ItemPool
from shsim.model.trace import TracedTest, TraceResult, TraceSettings, TraceStep
from shsim.workflow.adaptive import AdaptiveTests
from shsim.workflow.checking import require_sound
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import Executor
from shsim.workflow.simulate import start
from shsim.workflow.watch import SILENT, Watch

#: Proposals of a test that are written down, at most.
_TRAIL = 100_000


def trace(pool: ItemPool, settings: TraceSettings, *, watch: Watch = SILENT) -> TraceResult:
    """Give the tests that `simulate` gives to the same examinees, and write down how.

    At the true theta too, position by position: what one walk gives is the same.

    Parameters
    ----------
    pool
        Items and the k in force.
    settings
        Checked, and against the pool, before anything runs.
    watch
        Told when kernels have to be compiled.

    Raises
    ------
    DataError
        Everything that is wrong with the settings.
    """
    require_sound(settings, pool)
    delivery, count = settings.delivery, settings.tests
    cohort = Cohort(
        theta=delivery.theta, n=settings.first + count, seed=delivery.seed, stream=STREAM_SIMULATE
    )
    theta, decile = cohort.abilities(settings.first, count)
    with Executor(pool, delivery, 1, watch.heed) as executor:
        start(executor, watch)
        tests = AdaptiveTests(executor, pool, delivery)
        test = tests.test(pool.k)
        examinees = make_examinees(
            test.tables, theta, decile, settings.first, cohort.acceptance_key, cohort.answer_key
        )
        sums = make_sums(len(pool), delivery.length, histogram=False, by_decile=False)
        room = min(_TRAIL, delivery.length * len(pool))
        desk, journal = tests.desk(room), make_journal(count, delivery.length, room)

        def call(ranking: Ranking, at: int, patience: int) -> int:
            return administer_adaptively(
                test._replace(tables=ranking.tables), examinees, sums,
                desk, journal, at, patience, executor.cancel,
            )  # fmt: skip

        # In a worker, so that Ctrl-C need not wait for a compilation.
        for _ in executor.each([lambda: executor.through(count, call)]):
            pass
        traced = tuple(
            TracedTest(settings.first + e, float(theta[e]), tuple(_steps(journal, e)))
            for e in range(count)
        )
    return TraceResult(pool, settings, traced)


def _steps(journal: Journal, e: int) -> Iterator[TraceStep]:
    """A row of the journal as steps."""
    begin = 0
    for position, chosen in enumerate(journal.item[e].tolist()):
        if chosen == NO_ITEM:
            return
        end, answer = int(journal.upto[e, position]), int(journal.answer[e, position])
        forced = chosen < 0
        yield TraceStep(
            ranked_at=float(journal.ranked_at[e, position]),
            item=~chosen if forced else chosen,
            information=float(journal.information[e, position]),
            rejected=tuple(journal.proposed[e, begin : end if forced else end - 1].tolist()),
            forced=forced,
            right=None if answer < 0 else answer == 1,
            theta_hat=float(journal.theta_hat[e, position]),
            standard_error=float(journal.standard_error[e, position]),
        )
        begin = end
