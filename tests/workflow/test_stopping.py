"""A run is ended by whoever watches it, in any thread; runs at once don't disturb each other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from pools import calibration, golden_pool, simulation

from shsim.errors import Stopped
from shsim.workflow.calibrate import calibrate
from shsim.workflow.run import SavePolicy, calibrate_exam
from shsim.workflow.simulate import simulate
from shsim.workflow.watch import Silent

pytestmark = pytest.mark.compiled


@dataclass
class Stopping(Silent):
    """Ends the run at the first question once a stage has begun, or an iteration has ended."""

    moment: str
    reached: threading.Event = field(default_factory=threading.Event)

    def heed(self):
        if self.reached.is_set():
            raise Stopped("cancelled by anna")

    def stage(self, stage, total):  # noqa: ARG002 - a Watch's own signature
        if stage == self.moment:
            self.reached.set()

    def iteration(self, record, items_over):  # noqa: ARG002 - as above
        if self.moment == "iteration":
            self.reached.set()


def in_another_thread(work):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.mark.parametrize("moment", ["before", "calibrating", "iteration", "verifying"])
def test_it_ends_between_chunks_and_goes_on_record(store, moment):
    store.add_demo()
    before = store.load_pool("DEMO-EXAM")
    settings = calibration(tau=0.25)
    with pytest.raises(Stopped):
        in_another_thread(
            lambda: calibrate_exam(
                store, "DEMO-EXAM", settings, SavePolicy(), watch=Stopping(moment)
            )
        )
    runs, count = store.ledger.history(None, 5)
    assert count == 1
    assert (runs[0].outcome, runs[0].message) == ("interrupted", "cancelled by anna")
    assert store.load_pool("DEMO-EXAM").k.tobytes() == before.k.tobytes()
    with store.exam_lock("DEMO-EXAM"):
        pass  # it is free again


@pytest.mark.parametrize("method", ["exact", "sampled"])
def test_a_simulation_too(method):
    watch = Stopping("simulating")
    if method == "exact":
        watch.reached.set()  # it has no stage of its own
    with pytest.raises(Stopped):
        simulate(golden_pool(), simulation(method=method), watch=watch)


def test_two_calibrations_at_once_come_to_the_bytes_of_each_alone():
    runs = [
        (golden_pool(), calibration(rejection="position")),
        (golden_pool(300), calibration(rejection="examinee", seed=7)),
    ]
    alone = [calibrate(pool, settings, threads=2) for pool, settings in runs]
    together = threading.Barrier(2)

    def at_once(pool, settings):
        together.wait()
        return calibrate(pool, settings, threads=2)

    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(at_once, *run) for run in runs]
        both = [future.result() for future in futures]
    for one, other in zip(alone, both, strict=True):
        assert one.k.tobytes() == other.k.tobytes()
        assert one.measures == other.measures
        assert one.exposure.seen.tobytes() == other.exposure.seen.tobytes()
