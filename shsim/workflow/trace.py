"""`trace`: a few tests, position by position, by the kernel that gives all the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shsim.arrays import AnyArray, FloatArray
from shsim.kernels.adaptive import administer_adaptively
from shsim.kernels.desk import NO_ITEM, Desk, Journal, Sums, make_journal, make_sums
from shsim.kernels.plan import Test
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

#: Tests whose journal is kept at a time: a row may take `_TRAIL` numbers.
_BATCH = 10


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
        # One more than is shown, so that a trail that is just full is told from a longer one.
        room = min(_TRAIL + 1, delivery.length * len(pool))
        sums = make_sums(len(pool), delivery.length, histogram=False, by_decile=False)
        tracer = _Tracer(executor, test, cohort, tests.desk(room), sums, room)
        traced: list[TracedTest] = []
        for begin in range(0, count, _BATCH):
            part = slice(begin, begin + _BATCH)
            traced += tracer.give(settings.first + begin, theta[part], decile[part])
    return TraceResult(pool, settings, tuple(traced))


@dataclass(frozen=True, slots=True)
class _Tracer:
    """Gives tests and writes them down."""

    executor: Executor
    test: Test
    cohort: Cohort
    desk: Desk
    sums: Sums
    room: int

    def give(self, first: int, theta: FloatArray, decile: AnyArray) -> list[TracedTest]:
        """The tests of examinees of these abilities, the first of them numbered `first`."""
        test, cohort = self.test, self.cohort
        examinees = make_examinees(
            test.tables, theta, decile, first, cohort.acceptance_key, cohort.answer_key
        )
        journal = make_journal(len(theta), test.plan.longest, self.room)

        def call(ranking: Ranking, at: int, patience: int) -> int:
            return administer_adaptively(
                test._replace(tables=ranking.tables), examinees, self.sums,
                self.desk, journal, at, patience, self.executor.cancel,
            )  # fmt: skip

        # In a worker, so that Ctrl-C need not wait for a compilation.
        for _ in self.executor.each([lambda: self.executor.through(len(theta), call)]):
            pass
        return [
            TracedTest(first + e, float(ability), tuple(_steps(journal, e)))
            for e, ability in enumerate(theta)
        ]


def _steps(journal: Journal, e: int) -> Iterator[TraceStep]:
    """A row of the journal as steps."""
    begin = 0
    for position, chosen in enumerate(journal.item[e].tolist()):
        if chosen == NO_ITEM:
            return
        end, answer = int(journal.upto[e, position]), int(journal.answer[e, position])
        forced, cut = chosen < 0, end > _TRAIL
        last = _TRAIL if cut else end if forced else end - 1
        yield TraceStep(
            ranked_at=float(journal.ranked_at[e, position]),
            item=~chosen if forced else chosen,
            information=float(journal.information[e, position]),
            rejected=tuple(journal.proposed[e, begin:last].tolist()),
            cut=cut,
            forced=forced,
            right=None if answer < 0 else answer == 1,
            theta_hat=float(journal.theta_hat[e, position]),
            standard_error=float(journal.standard_error[e, position]),
        )
        begin = end
