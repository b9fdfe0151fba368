"""Proposals counted in a local Redis: one round trip each, or a test's together.

Usage: python scripts/bench/proposals.py [--quick]

The proposals are those of simulated tests of the golden pool C2 under its calibrated table.
The server is a `redis-server` of our own on the loopback. No proposal may be dropped, and a
Redis that is dead must cost next to nothing.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "scripts" / "bench"), str(ROOT / "tests")]

from pools import calibration, golden_pool  # noqa: E402  the path comes first
from redis_server import running_redis  # noqa: E402
from stopwatch import Costs, announce, arguments, conclude, in_turn, seconds, show  # noqa: E402

from shsim.extras.redis_proposals import Bump, ProposalCounter, open_counter  # noqa: E402
from shsim.model.trace import TraceSettings  # noqa: E402
from shsim.workflow.calibrate import calibrate  # noqa: E402
from shsim.workflow.trace import trace  # noqa: E402

#: One test's proposals, in their order.
Trail = Sequence[tuple[int, int]]


def trails(tests: int, *, quick: bool) -> list[Trail]:
    """What a selector proposes in so many simulated tests."""
    pool = golden_pool(500)
    schedule = {"n": 2000, "iters": 12, "verify_n": 20_000} if quick else {}
    settings = calibration(tau=0.2, **schedule)
    k = calibrate(pool, settings).k
    traced = trace(pool.with_k(k), TraceSettings(delivery=settings.delivery, tests=tests))
    keys = list(zip(pool.question_id.tolist(), pool.version.tolist(), strict=True))
    return [
        [keys[i] for step in test.steps for i in (*step.rejected, step.item)]
        for test in traced.tests
    ]


def one_by_one(counter: ProposalCounter, tests: Sequence[Trail]) -> None:
    """Each proposal at once."""
    for trail in tests:
        pass_on(trail, counter.bump)


def together(counter: ProposalCounter, tests: Sequence[Trail], size: int) -> None:
    """The proposals of `size` tests at a time."""
    remaining = iter(tests)
    while batch := list(islice(remaining, size)):
        with counter.buffered() as bump:
            for trail in batch:
                pass_on(trail, bump)


def pass_on(trail: Trail, bump: Bump) -> None:
    """Call the hook."""
    for question_id, version in trail:
        bump(question_id, version)


def main() -> None:
    """Measure and print."""
    quick = arguments(__doc__ or "").parse_args().quick
    tests = trails(20 if quick else 400, quick=quick)
    total, distinct = sum(map(len, tests)), sum(len(set(trail)) for trail in tests)
    few, rounds = tests[: max(len(tests) // 20, 1)], 2 if quick else 15
    announce(
        f"{len(tests)} tests, {total / len(tests):.0f} proposals each,"
        f" of {distinct / len(tests):.0f} items."
    )

    def a_proposal(work: Callable[[], None], these: Sequence[Trail]) -> float:
        return seconds(work) / sum(map(len, these))

    with running_redis() as server:
        counter = open_counter(server.url, timeout=5.0)
        costs = in_turn(
            {
                "one by one": lambda: a_proposal(lambda: one_by_one(counter, few), few),
                "a test at a time": lambda: a_proposal(lambda: together(counter, tests, 1), tests),
                "ten at a time": lambda: a_proposal(lambda: together(counter, tests, 10), tests),
            },
            rounds,
        )
        if counter.stats.dropped:
            sys.exit(f"{counter.stats.dropped:,} proposals were dropped: no comparison.")
        server.kill()
        logging.getLogger("shsim.proposals").disabled = True  # it would say so
        dead = open_counter(server.url)
        dead.bump(1, 1)
        costs += in_turn(
            {"none is there": lambda: a_proposal(lambda: one_by_one(dead, few), few)}, rounds
        )
    show(costs, "microseconds a proposal", 1e6)
    report(costs)


def report(costs: Sequence[Costs]) -> None:
    """Print the ratios."""
    single, test, ten, gone = costs
    goal = "at least 200,000 a second"
    for side, words in ((test, "a test at a time"), (ten, "ten tests at a time")):
        conclude(
            f"proposals one by one over {words}, {1 / side.least:,.0f} a second",
            single.least / side.least,
            goal,
        )
    conclude(
        f"a proposal where Redis is dead, {gone.least * 1e6:.1f} µs, over one that is counted",
        gone.least / single.least,
        "under 1",
    )


if __name__ == "__main__":
    main()
