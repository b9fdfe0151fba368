"""A live selector that counts its proposals in Redis, whatever becomes of that."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
from pools import NORMAL, golden_pool

from shsim import DeliverySettings, Selector
from shsim.extras.proposal_reader import ProposalReader
from shsim.extras.redis_address import RedisAddress
from shsim.extras.redis_proposals import open_counter


def selector():
    k = np.random.default_rng(5).uniform(0.05, 1.0, 60)
    return Selector(golden_pool(60, k), DeliverySettings(length=10, theta=NORMAL, seed=1))


def give(selector, hook, tests):
    """Tests with the same draws each time: what was given, what was proposed."""
    given, proposed = [], Counter()
    for seed in range(tests):
        session = selector.session(seed)
        for _ in range(10):
            chosen = session.next_item(0.1 * seed, on_proposal=hook)
            given.append(chosen.item)
            proposed.update(chosen.proposed)
    return given, proposed


def test_what_is_counted_is_what_was_proposed(redis_server):
    counter = open_counter(redis_server.url, timeout=20)
    with counter.buffered() as bump:
        _, proposed = give(selector(), bump, 20)
    reader = ProposalReader(RedisAddress.parse(redis_server.url))
    now = datetime.now(UTC)
    found = reader.proposals(sorted(proposed), now - timedelta(days=1), now)
    total = Counter()  # a midnight may have passed
    for (_, item), count in found.items():
        total[item] += count
    assert total == proposed


def test_the_selector_never_notices_that_redis_is_gone(redis_server):
    live = selector()
    given, proposed = give(live, None, 20)
    counter = open_counter(redis_server.url)
    counter.bump(1, 1)
    redis_server.hang()
    try:
        began = time.perf_counter()
        assert give(live, counter.bump, 20)[0] == given
        took = time.perf_counter() - began
    finally:
        redis_server.go_on()
    assert live.hook_failures == 0
    assert counter.stats.dropped >= sum(proposed.values())
    assert took < 0.05 * sum(proposed.values()) / 4, "few of them waited"
