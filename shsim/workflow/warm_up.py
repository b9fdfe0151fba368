"""Compiling every kernel ahead of time, for a program that must not stop to do so later.

It is done in a process of its own, since compiling holds the interpreter's lock for
seconds; what that process leaves in the cache is then loaded here.
"""

from __future__ import annotations

import threading

import numba
import numpy as np

from shsim.kernels.adaptive import administer_adaptively
from shsim.kernels.administer import administer
from shsim.kernels.baselines import administer_baseline
from shsim.kernels.exact import carry, expected_information, order_nodes
from shsim.kernels.jit import cache_status, is_cached
from shsim.kernels.ranking import build_bins
from shsim.model.ability import AbilityDistribution
from shsim.model.control import Control
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.model.settings import CalibrationSettings, SimulationSettings
from shsim.workflow.calibrate import calibrate
from shsim.workflow.compiler_process import compile_for_parent, end_compiler, start_compiler
from shsim.workflow.simulate import simulate

#: Every function that is compiled on its own.
_KERNELS = (
    administer,
    administer_adaptively,
    administer_baseline,
    build_bins,
    carry,
    expected_information,
    order_nodes,
)


def warm_up(stop: threading.Event) -> None:
    """Make every kernel ready to be called in this process.

    Parameters
    ----------
    stop
        Gives up, where what compiles is a process of its own.
    """
    # An entry in the cache that is no good after all is compiled here.
    missing = [kernel for kernel in _KERNELS if not is_cached(kernel.__name__)]
    if missing and cache_status()[1] is None and not numba.config.DISABLE_JIT:
        _compile_aside(stop)
    if not stop.is_set():
        call_every_kernel()


def call_every_kernel() -> None:
    """Call each with the types that runs call it with, for a handful of examinees."""
    pool, theta = _pool(), AbilityDistribution.parse("normal:0,1")
    estimated = DeliverySettings(length=2, theta=theta, ability="eap", seed=1)
    calibrate(pool, CalibrationSettings.make(estimated, tau=0.9, n=64, iters=1, verify_n=64))
    known = DeliverySettings(length=2, theta=theta, seed=1)
    calibrate(pool, CalibrationSettings.make(known, tau=0.9, method="exact", verify_n=64))
    simulate(pool, SimulationSettings(delivery=known, n=64, control=Control.parse("randomesque:2")))


def _pool() -> ItemPool:
    size = 8
    return ItemPool.build(
        "WARM-UP",
        {
            "question_id": np.arange(1, size + 1),
            "version": np.ones(size, np.int64),
            "topic_id": np.ones(size, np.int64),
            "a": np.ones(size),
            "b": np.linspace(-1, 1, size),
            "c": np.full(size, 0.2),
            "k": np.ones(size),
        },
    )


def _compile_aside(stop: threading.Event) -> None:
    process = start_compiler(__name__)
    if process is None:
        return
    try:
        while process.poll() is None and not stop.wait(0.1):
            pass
    finally:
        end_compiler(process)


if __name__ == "__main__":
    compile_for_parent(call_every_kernel)
