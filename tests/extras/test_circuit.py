"""Who has failed is left alone for a while, by everybody but one."""

from __future__ import annotations

import threading

from shsim.extras.circuit import FIRST, LONGEST, Circuit


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_a_failure_keeps_everybody_out_and_then_lets_one_try():
    clock = Clock()
    circuit = Circuit(clock)
    assert circuit.lets_through()
    assert circuit.failed()
    assert circuit.is_open
    assert not circuit.lets_through()
    clock.now += FIRST
    assert [circuit.lets_through() for _ in range(3)] == [True, False, False]
    assert not circuit.failed()
    clock.now += FIRST
    assert not circuit.lets_through()
    clock.now += FIRST
    assert circuit.lets_through()
    assert circuit.succeeded()
    assert not circuit.succeeded()
    assert circuit.lets_through()
    assert not circuit.is_open


def test_pauses_grow_and_end_growing():
    clock = Clock()
    circuit = Circuit(clock)
    pauses = []
    for _ in range(12):
        circuit.failed()
        before = clock.now
        while not circuit.lets_through():
            clock.now += FIRST / 2
        pauses.append(clock.now - before)
    assert pauses[:3] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST


def test_of_many_threads_one_tries():
    clock = Clock()
    circuit = Circuit(clock)
    circuit.failed()
    clock.now += FIRST
    barrier = threading.Barrier(8)
    through = []

    def ask():
        barrier.wait()
        through.append(circuit.lets_through())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(through) == 1
