"""The update rules by name, each with its own schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Method = Literal["classical", "damped", "exact"]

#: How `simulate` finds exposure: by simulated examinees, or by the closed chain.
Estimator = Literal["sampled", "exact"]

METHODS: tuple[str, ...] = get_args(Method)
ESTIMATORS: tuple[str, ...] = get_args(Estimator)


@dataclass(frozen=True, slots=True)
class MethodDefaults:
    """A sampled method's own schedule, chosen by measurement.

    Attributes
    ----------
    n
        Simulated examinees an iteration at tau = .2 and above; see :meth:`examinees`.
    iters
        The most iterations.
    alpha, decay
        First step in the log of k, and the exponent by which steps decay.
    settle
        Share of the iterations before ln k is averaged: a rule that creeps must not
        average the way it came.
    """

    n: int
    iters: int
    alpha: float
    decay: float
    settle: float = 0.0

    def examinees(self, tau: float) -> int:
        """Examinees an iteration: rare events need more, in proportion to (1-tau)/tau."""
        if not 0 < tau <= 1:
            return self.n  # refused by `problems`, all in one message
        return int(self.n * min(max(1.0, (1 - tau) / (4 * tau)), 64.0))


#: By method and rejection; `scripts/bench/schedules.py` measures them.
METHOD_DEFAULTS: Mapping[tuple[str, str], MethodDefaults] = {
    ("classical", "position"): MethodDefaults(n=8192, iters=100, alpha=1.0, decay=0.6, settle=0.16),
    ("classical", "examinee"): MethodDefaults(n=8192, iters=100, alpha=1.0, decay=0.6),
    ("damped", "position"): MethodDefaults(n=16_384, iters=200, alpha=3.0, decay=0.6, settle=0.5),
    ("damped", "examinee"): MethodDefaults(n=16_384, iters=100, alpha=1.0, decay=0.6),
    ("exact", "position"): MethodDefaults(n=0, iters=200, alpha=1.0, decay=0.0),
    ("exact", "examinee"): MethodDefaults(n=0, iters=200, alpha=1.0, decay=0.0),
}

#: Options that `exact` would ignore, since it draws no examinee and takes whole steps.
IGNORED_BY_EXACT = ("n", "alpha", "decay")

#: Quadrature nodes of theta. Solved on so many, the largest rate errs by .05 % of tau on
#: pools of 500 and 1,000 items, measured on 64,000 nodes (`scripts/bench/exact.py`).
DEFAULT_NODES = 8000

#: ln k is not averaged before this iteration.
AVERAGE_FROM = 12
