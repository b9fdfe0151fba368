"""Compiling the adaptive kernel in a process of its own, while this one is at work.

Numba compiles one function at a time in a process, and a first calibration at the true
theta needs the adaptive kernel only at its end: compiled beside, it costs no time where
there are two processors. Whatever goes wrong with it, the kernel is compiled here then.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numba
import numpy as np

from shsim.kernels.acceptance import make_rule
from shsim.kernels.adaptive import administer_adaptively
from shsim.kernels.desk import make_desk, make_journal, make_sums
from shsim.kernels.grid import make_curves
from shsim.kernels.irt import prepare_items
from shsim.kernels.jit import cache_status, is_cached
from shsim.kernels.plan import EAP, Plan, Test, no_content
from shsim.kernels.ranking import Tables
from shsim.kernels.sitting import make_examinees
from shsim.workflow.compiler_process import compile_for_parent, end_compiler, start_compiler
from shsim.workflow.executor import available_threads

#: Seconds that the process is waited for, since this one could do the work itself.
_PATIENCE = 60.0

Heed = Callable[[], None]


@contextmanager
def compiled_aside() -> Iterator[Callable[[Heed], None]]:
    """Start compiling, unless that has been done; yields what waits for its end.

    It asks `heed` (see :class:`shsim.workflow.watch.Watch`) meanwhile. A process that is left
    early is ended.
    """
    process = start_compiler(__name__) if _is_worth_it() else None
    try:
        yield lambda heed: None if process is None else _wait(process, heed)
    finally:
        if process is not None:
            end_compiler(process)


def _is_worth_it() -> bool:
    """Whether there is something to compile, a processor free, and a cache to hand it over in."""
    return (
        not is_cached(administer_adaptively.__name__)
        and not numba.config.DISABLE_JIT
        and available_threads() > 1
        and cache_status()[1] is None
    )


def _wait(process: subprocess.Popen[bytes], heed: Heed) -> None:
    """Wait for its end, or lose patience."""
    lost = time.monotonic() + _PATIENCE
    while time.monotonic() < lost:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.1)
            return
        heed()


def compile_adaptive_kernel() -> None:
    """Compile it for the types that runs call it with, for no examinee at all."""
    one = np.ones(1)
    items = prepare_items(one, one, 0 * one, one, 1.7)
    tables = Tables(items, np.zeros((3, 1), np.int32), np.zeros((3, 2)), 0.0, 1.0)
    curves = make_curves(items, np.linspace(-1.0, 1.0, 4), np.full(4, 0.25), EAP)
    rule = make_rule(one, 1, by_position=True)
    test = Test(tables, curves, rule, Plan(EAP, 0.0, 1, 1, 0.0), no_content())
    nobody = make_examinees(
        tables, np.empty(0), np.empty(0, np.uint8), 0, np.uint64(0), np.uint64(0)
    )
    sums = make_sums(1, 1, histogram=True, by_decile=True)
    administer_adaptively(
        test, nobody, sums, make_desk(1, 1, 4, 0), make_journal(0, 1, 0), 0, 0,
        np.zeros(1, np.uint8),
    )  # fmt: skip


if __name__ == "__main__":
    compile_for_parent(compile_adaptive_kernel)
