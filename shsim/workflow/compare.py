"""`simulate --compare`: several controls on the same examinees."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from shsim.model.comparison import Compared, ComparisonResult
from shsim.model.control import Control
from shsim.model.item_pool import ItemPool
from shsim.model.settings import SimulationSettings
from shsim.workflow.checking import require_sound
from shsim.workflow.delivery import tests_of
from shsim.workflow.executor import Executor
from shsim.workflow.simulate import examinees_of, start, under
from shsim.workflow.verify import without_control
from shsim.workflow.watch import SILENT, Watch


def compare(
    pool: ItemPool,
    settings: SimulationSettings,
    controls: Sequence[Control],
    *,
    threads: int | None = None,
    watch: Watch = SILENT,
) -> ComparisonResult:
    """Test the same examinees under each control, who answer the same items alike.

    Parameters
    ----------
    pool
        Items and the k in force, which `sh` goes by.
    settings
        Checked, and against the pool, before anything runs; their control
        is not used.
    controls
        At least one.
    threads
        Workers; changes only the speed.
    watch
        Told of progress, examinee by examinee of all controls.

    Raises
    ------
    DataError
        Everything that is wrong with the settings.
    """
    began = time.perf_counter()
    require_sound(settings, pool)
    compared: list[Compared] = []
    with Executor(pool, settings.delivery, threads, watch.heed) as executor:
        start(executor, watch, *controls)
        watch.stage("simulating", settings.n * len(controls))
        tests = tests_of(executor, pool, settings.delivery)
        uncontrolled = without_control(tests, examinees_of(settings), len(pool))
        for control in controls:
            its = replace(settings, control=control)
            _, measures = under(executor, pool, its, watch, uncontrolled)
            compared.append(Compared(control, replace(measures, uncontrolled=None)))
    seconds = time.perf_counter() - began
    return ComparisonResult(pool, settings, tuple(compared), uncontrolled, seconds)
