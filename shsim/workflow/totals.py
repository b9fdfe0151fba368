"""What the tests of a cohort add up to, however they were given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shsim.arrays import AnyArray, FloatArray, IntArray
from shsim.workflow.examinees import Cohort
from shsim.workflow.executor import BLOCK

#: Information and errors of estimation are averaged over the first examinees only: they
#: cost as much as a third of a walk, and are known to .3 % by then.
MEASURED_N = 64 * BLOCK


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Sums over the examinees of a cohort.

    Attributes
    ----------
    n
        Examinees.
    seen, proposed
        int64 (N,): examinees who saw the item; times it was proposed.
    reached
        (N, L), where asked for under `position`: examinees to whom the item would have
        come up m = column + 1 times, had it been rejected each time; counted where the
        ranking is fixed (then m is the open positions), else estimated.
    forced
        Positions filled by force.
    by_decile, decile_sizes
        int64 (10, N) examinees of each theta decile who saw the item; (10,) all of them.
    information
        Mean information at the true theta of the first `MEASURED_N` tests, and that of the
        uncontrolled test where one walk tells both (else None).
    lengths
        int64 (L + 1,): tests of each length; None where all are to have L items.
    errors
        float64 (10, columns), sums over the first `MEASURED_N` examinees of each decile, see
        `shsim.report.accuracy`; None where no ability is estimated.
    """

    n: int
    seen: IntArray
    proposed: IntArray
    reached: AnyArray
    forced: int
    by_decile: IntArray
    decile_sizes: IntArray
    information: tuple[float, float | None]
    lengths: IntArray | None = None
    errors: FloatArray | None = None


class Tests(Protocol):
    """One way of giving tests: `OnePassTests` or `AdaptiveTests`."""

    def run(
        self,
        cohort: Cohort,
        k: FloatArray,
        *,
        histogram: bool = False,
        measure: bool = False,
        advance: Callable[[int], None] | None = None,
    ) -> Totals:
        """Test every examinee of the cohort under `k`, (N,).

        With `histogram` (under `position`) count what an update rule needs; with `measure`
        count by decile, and average information and errors.
        """


def measured_blocks(n: int) -> int:
    """Blocks of examinees whose information and errors are averaged."""
    return min(-(-n // BLOCK), MEASURED_N // BLOCK)
