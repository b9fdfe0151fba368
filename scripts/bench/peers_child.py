"""One peer at work, in the peers' own environment; started by peers.py, which says what it does.

Takes the name of the work, a file of items and a number of examinees; prints what one
examinee took, in seconds, with the import, the set-up and a first short run left out.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np

LENGTH, TAU = 25, 0.2

#: Of fast-mlsirm, whose first one is uncontrolled.
CYCLES = 10

#: Tests examinees; returns how many.
Give = Callable[[int], int]
Items = dict[str, np.ndarray]


def fast_mlsirm(items: Items) -> Give:
    """`sympson_hetter`, of which every cycle tests n examinees."""
    from fast_mlsirm import sympson_hetter

    def give(n: int) -> int:
        # A tolerance of 0: it goes on to the last cycle, or counts those it made.
        done = sympson_hetter(
            items["a"], items["b"], items["c"],
            r_max=TAU, test_length=LENGTH, n_simulees=n, max_iter=CYCLES, tol=0.0,
        )  # fmt: skip
        return n * done.n_iter

    return give


def fitted(kind: str, **parameters: np.ndarray) -> object:
    """A model of mirt with these parameters; its public way to a fitted one is to fit it."""
    import mirt

    size = len(parameters["difficulty"])
    answers = np.random.default_rng(1).integers(0, 2, (20, size))
    model = mirt.fit_mirt(answers, model=kind, max_iter=1, compute_standard_errors=False).model
    model.set_parameters(**parameters)
    return model


def mirt_hetter(items: Items) -> Give:
    """A batch under `SympsonHetter`, for which mirt has a loop in Python only."""
    from mirt.cat import CATEngine, MaxItemsStop, SympsonHetter

    engine = CATEngine(
        fitted("3PL", discrimination=items["a"], difficulty=items["b"], guessing=items["c"]),
        stopping_rule=MaxItemsStop(LENGTH),
        exposure_control=SympsonHetter(items["k"], seed=1),
        seed=1,
    )
    return lambda n: len(engine.run_batch_simulation(abilities(n)))


def mirt_batch(items: Items) -> Give:
    """The Rust batch by the call that makes no Python object an examinee."""
    import mirt
    from mirt.cat import CATEngine

    if not mirt.get_backend_info()["rust_available"]:
        sys.exit("This mirt came without its Rust core: there is nothing to compare with.")
    # Rust is taken for tests that end by their error; nobody's is so small.
    engine = CATEngine(
        fitted("2PL", discrimination=items["a"], difficulty=items["b"]),
        stopping_rule="SE",
        se_threshold=1e-9,
        max_items=LENGTH,
        seed=1,
    )

    def give(n: int) -> int:
        _, _, _, lengths = engine.compute_conditional_mse(abilities(n), n_replications=1)
        assert np.all(lengths == LENGTH)  # noqa: S101 - a shorter test would be no comparison
        return len(lengths)

    return give


def catsim(items: Items) -> Give:
    """Uncontrolled, by its default estimator, which is its fastest."""
    from catsim.estimation import NumericalSearchEstimator
    from catsim.initialization import FixedPointInitializer
    from catsim.selection import MaxInfoSelector
    from catsim.simulation import Simulator
    from catsim.stopping import TestLengthStopper

    bank = np.column_stack([items["a"], items["b"], items["c"], np.ones(len(items["a"]))])

    def give(n: int) -> int:
        simulator = Simulator(
            bank,
            abilities(n),
            FixedPointInitializer(0),
            MaxInfoSelector(),
            NumericalSearchEstimator(),
            TestLengthStopper(max_items=LENGTH),
        )
        simulator.simulate()
        return len(simulator.latest_estimations)

    return give


def abilities(n: int) -> np.ndarray:
    """Standard normal, as on the other side."""
    return np.random.default_rng(2).normal(size=n)


WORKS = {work.__name__: work for work in (fast_mlsirm, mirt_hetter, mirt_batch, catsim)}


def main() -> None:
    """Do one work twice, first in brief, and print what an examinee took."""
    work, items, n = sys.argv[1:]
    with np.load(items) as arrays:
        give = WORKS[work](dict(arrays))
    give(max(1, int(n) // 50))
    start = time.perf_counter()
    given = give(int(n))
    print((time.perf_counter() - start) / given)


if __name__ == "__main__":
    main()
