"""Why a cap can't be met and what it costs, by solving neighbouring problems exactly."""

from __future__ import annotations

import numpy as np

from shsim.arrays import FloatArray
from shsim.model.item_pool import ItemPool
from shsim.model.results import Reasons
from shsim.model.settings import CalibrationSettings
from shsim.workflow.solve import MET, Solution, Solver, Target

#: The bisection ends when its bracket is this narrow, relatively.
_NARROW = 1e-3

#: The first cap tried is this much above L/N, relatively.
_FIRST_REACH = 0.01

#: Unsettled iterations after which a cap counts as not met.
_PATIENCE = 60

#: The price of the cap is a difference of caps so far to either side, relatively.
_ASIDE = 0.025


def find_reasons(
    solver: Solver, pool: ItemPool, settings: CalibrationSettings, k: FloatArray
) -> Reasons:
    """The smallest cap met, the largest floor, what the floor holds, and the price.

    Parameters
    ----------
    solver
        Of the pool and the test.
    pool, settings
        What was asked for.
    k
        The table found, (N,); solutions start from it.
    """
    tau = settings.tau
    free = solver.solve(k, Target(tau, iters=_PATIENCE))
    met = free.meets(tau)
    over = solver.fine.of(k).rate > tau * (1 + settings.tol)
    at_floor = k <= settings.floor * (1 + 1e-9)
    return Reasons(
        smallest_tau=smallest_tau(solver, pool, settings.delivery.length, free if met else None),
        largest_floor=float(free.k.min()) if met else None,
        held_by_floor=tuple(np.flatnonzero(over & at_floor).tolist()),
        price_by_decile=price_by_decile(solver, free.k, tau) if met else (),
    )


def smallest_tau(
    solver: Solver, pool: ItemPool, length: int, known: Solution | None = None
) -> float:
    """The smallest cap that is met, by bisection between L/N and the uncontrolled maximum.

    `known` is a solution that is met, to begin with. What counts as met may stand a
    little over the aim; the cap returned is above all of it.
    """
    low = length / len(pool)
    k = np.ones(len(pool))
    high = float(solver.fine.of(k).rate.max())
    if known is not None:
        high, k = min(high, float(known.expected.rate.max())), known.k
    reach = _FIRST_REACH
    while high - low > _NARROW * high:
        # Most pools come near L/N: reach out from there before halving what is left.
        tau = min(low * (1 + reach), (low + high) / 2)
        reach *= 4
        target = Target(tau, iters=_PATIENCE, only_met=True)
        solution = solver.solve_roughly(k, target)
        if solution.meets(tau):
            high, k = tau, solution.k
        else:
            low = tau
    return high * (1 + MET)


def price_by_decile(solver: Solver, k: FloatArray, tau: float) -> tuple[float, ...]:
    """Information per .01 of tau in each theta decile: a central difference around tau."""

    def information(cap: float) -> FloatArray:
        solution = solver.solve(k, Target(cap, iters=_PATIENCE))
        return solver.fine.information(solution.k)[:, 0]

    gain = information(tau * (1 + _ASIDE)) - information(tau * (1 - _ASIDE))
    return tuple((gain / (2 * _ASIDE * tau) * 0.01).tolist())
