"""Counting proposals in a real Redis: what is counted, what is dropped, and how soon."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta

import pytest
import redis
from odd_redis import ENOUGH, dripping_in_front_of, flooding
from redis_server import running_redis
from tls_proxy import make_certificate, tls_in_front_of

from shsim.errors import UsageError
from shsim.extras.proposal_reader import ProposalReader
from shsim.extras.redis_address import RedisAddress
from shsim.extras.redis_proposals import open_counter

DAY = 86_400
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()

#: Long enough for a loaded machine, where it is not the time-out that is tried.
PATIENT = 20.0


class Clock:
    def __init__(self, now=NOON):
        self.now = now

    def __call__(self):
        return self.now


def patient(server, **options):
    return open_counter(server.url, timeout=PATIENT, **options)


def counters(server):
    client = server.client()
    return {key.decode(): int(client.get(key)) for key in client.keys("proposed:*")}


def took(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_a_proposal_is_one_more_in_the_counter_of_its_day(redis_server):
    counter = patient(redis_server, clock=Clock())
    for item in ((17, 2), (17, 2), (-5, 1), (2**63 - 1, 0)):
        counter.bump(*item)
    assert counters(redis_server) == {
        "proposed:20260131:17:2": 2,
        "proposed:20260131:-5:1": 1,
        f"proposed:20260131:{2**63 - 1}:0": 1,
    }
    assert (counter.stats.counted, counter.stats.dropped) == (4, 0)


def test_a_buffer_is_sent_once_at_its_end(redis_server):
    counter = patient(redis_server, clock=Clock())
    with counter.buffered() as bump:
        for i in range(3000):
            bump(i % 1200, 1)
        assert counters(redis_server) == {}
        assert counter.stats.counted == 0
    assert sum(counters(redis_server).values()) == counter.stats.counted == 3000
    assert len(counters(redis_server)) == 1200


def test_a_buffer_is_sent_when_the_test_breaks_off(redis_server):
    counter = patient(redis_server, clock=Clock())

    def test():
        with counter.buffered() as bump:
            bump(1, 1)
            raise RuntimeError("broken off")

    with pytest.raises(RuntimeError, match="broken off"):
        test()
    assert counters(redis_server) == {"proposed:20260131:1:1": 1}


def test_a_buffer_that_grows_too_large_is_sent_before_its_end(redis_server):
    counter = patient(redis_server, clock=Clock())
    with counter.buffered() as bump:
        for i in range(20_001):
            bump(i, 1)
        assert counter.stats.counted == 20_000
    assert counter.stats.counted == 20_001


def test_a_test_over_midnight_counts_on_both_days(redis_server):
    clock = Clock(NOON + DAY / 2 - 1)
    counter = patient(redis_server, clock=clock)
    with counter.buffered() as bump:
        bump(1, 1)
        clock.now += 2
        bump(1, 1)
        bump(1, 1)
    assert counters(redis_server) == {"proposed:20260131:1:1": 1, "proposed:20260201:1:1": 2}


def test_a_counter_expires_so_many_days_after_its_own(redis_server):
    client = redis_server.client()
    clock = Clock()
    counter = patient(redis_server, days=2, clock=clock)
    counter.bump(1, 1)
    assert DAY * 2.5 - 60 < client.ttl("proposed:20260131:1:1") <= DAY * 2.5
    client.expire("proposed:20260131:1:1", 1000)
    counter.bump(1, 1)
    assert client.ttl("proposed:20260131:1:1") <= 1000, "an expiry is given once"
    clock.now += 400
    client.flushall()
    counter.bump(1, 1)
    assert 1000 < client.ttl("proposed:20260131:1:1") <= DAY * 2.5 - 400, "gone, made anew"
    assert counters(redis_server) == {"proposed:20260131:1:1": 1}


@pytest.mark.parametrize("days", ["0", "-1", "x", "1e3", "999999"])
def test_days_that_are_none_are_refused(days, monkeypatch):
    monkeypatch.setenv("SHSIM_PROPOSALS_DAYS", days)
    with pytest.raises(UsageError, match="SHSIM_PROPOSALS_DAYS"):
        open_counter("redis://h")


def test_days_and_url_come_from_the_environment(redis_server, monkeypatch):
    with pytest.raises(UsageError, match="Set SHSIM_REDIS_URL"):
        open_counter()
    monkeypatch.setenv("SHSIM_REDIS_URL", redis_server.url)
    monkeypatch.setenv("SHSIM_PROPOSALS_DAYS", "7")
    counter = open_counter(timeout=PATIENT, clock=Clock())
    counter.bump(1, 1)
    assert DAY * 7 < redis_server.client().ttl("proposed:20260131:1:1") <= DAY * 7.5


@pytest.mark.parametrize("item", [("1", 1), (None, 1), (1.5, 1), (2**63, 1), (1, -(2**63) - 1)])
def test_what_is_no_item_is_dropped(redis_server, item):
    counter = patient(redis_server, clock=Clock())
    counter.bump(*item)
    with counter.buffered() as bump:
        bump(*item)
        bump(1, 1)
    assert (counter.stats.counted, counter.stats.dropped) == (1, 2)
    assert list(counters(redis_server).values()) == [1]


def test_a_key_of_another_kind_is_left_alone(redis_server):
    client = redis_server.client()
    client.rpush("proposed:20260131:1:1", "theirs")
    client.set("proposed:20260131:2:1", "not a number")
    counter = patient(redis_server, clock=Clock())
    with counter.buffered() as bump:
        for question in (1, 1, 2, 3):
            bump(question, 1)
    assert (counter.stats.counted, counter.stats.dropped) == (1, 3)
    assert client.lrange("proposed:20260131:1:1", 0, -1) == [b"theirs"]
    assert client.ttl("proposed:20260131:1:1") == -1
    assert client.get("proposed:20260131:3:1") == b"1"


def test_threads_lose_nothing(redis_server):
    counter = patient(redis_server, clock=Clock())

    def work():
        with counter.buffered() as bump:
            for i in range(500):
                bump(i % 7, 1)
        for _ in range(20):
            counter.bump(99, 1)

    with counter.buffered() as shared:
        threads = [threading.Thread(target=work) for _ in range(6)]
        threads += [
            threading.Thread(target=lambda: [shared(1000, 1) for _ in range(500)]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = counters(redis_server)
    assert sum(found.values()) == counter.stats.counted == 6 * 520 + 4 * 500
    assert found["proposed:20260131:99:1"] == 120
    assert found["proposed:20260131:1000:1"] == 2000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_sends_nothing_twice(redis_server):
    program = (
        "import os, sys\n"
        "from shsim.extras.redis_proposals import open_counter\n"
        "counter = open_counter(sys.argv[1], timeout=20, clock=lambda: 1769860800.0)\n"
        "counter.bump(5, 1)\n"
        "with counter.buffered() as bump:\n"
        "    bump(1, 1)\n"
        "    child = os.fork()\n"
        "    bump(2 if child else 3, 1)\n"
        "    if child: assert os.waitpid(child, 0)[1] == 0\n"
        "counter.bump(4, 1)\n"
    )
    subprocess.run([sys.executable, "-c", program, redis_server.url], check=True)
    assert counters(redis_server) == {
        f"proposed:20260131:{question}:1": count
        for question, count in ((1, 1), (2, 1), (3, 1), (4, 2), (5, 1))
    }


def test_a_redis_that_dies_and_comes_back():
    with running_redis() as server:
        counter = patient(server, clock=Clock())
        counter.bump(1, 1)
        server.kill()
        with counter.buffered() as bump:
            for _ in range(10):
                bump(1, 1)
        assert (counter.stats.counted, counter.stats.dropped) == (1, 10)
        server.start()
        deadline = time.monotonic() + 60
        while counter.stats.counted == 1 and time.monotonic() < deadline:
            counter.bump(2, 1)
        assert counter.stats.counted == 2
        assert counters(server) == {"proposed:20260131:2:1": 1}
        assert server.client().ttl("proposed:20260131:2:1") > 0


def test_a_dead_redis_costs_microseconds():
    with running_redis() as server:
        counter = open_counter(server.url)
        server.kill()
        counter.bump(1, 1)
        each = min(took(lambda: counter.bump(1, 1)) for _ in range(50))
    assert counter.stats.counted == 0
    assert each < 0.002, "nothing was asked"


def test_a_redis_that_hangs_holds_nobody_up(redis_server):
    """Each wait is bounded, and after the first there are none for a while."""
    counter = open_counter(redis_server.url)
    asleep = open_counter(redis_server.url)
    asleep.bump(1, 1)
    redis_server.hang()
    try:
        # A stopped server's socket still takes connections and data: only time-outs end it.
        for each in (counter, asleep):
            dropped = each.stats.dropped
            whole = took(lambda each=each: [each.bump(1, 1) for _ in range(2000)])
            assert each.stats.dropped - dropped == 2000
            assert whole < 5.0, "2,000 waits of 50 ms would be 100 s"
    finally:
        redis_server.go_on()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_an_answer_that_drips_is_given_up(redis_server, tmp_path, tls):
    """No wait for a byte is long, all of them together are."""
    with ExitStack() as stack:
        drip = stack.enter_context(dripping_in_front_of(redis_server.port))
        url = f"redis://127.0.0.1:{drip.port}/0"
        if tls:
            certificate = make_certificate(tmp_path)
            port = stack.enter_context(tls_in_front_of(drip.port, certificate))
            url = f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}"
        counter = open_counter(url, timeout=0.5, clock=Clock())
        with counter.buffered() as bump:
            for question in range(300):
                bump(question, 1)
        assert (counter.stats.counted, counter.stats.dropped) == (0, 300)
        drip.dripping.clear()
        deadline = time.monotonic() + 60
        while counter.stats.counted == 0 and time.monotonic() < deadline:
            counter.bump(1000, 1)
        assert counter.stats.counted == 1, "no answer of before is taken for one of now"
        assert counters(redis_server)["proposed:20260131:1000:1"] == 1


def test_an_answer_without_end_is_given_up():
    with flooding() as flood:
        counter = open_counter(f"redis://127.0.0.1:{flood.port}/0", timeout=PATIENT)
        counter.bump(1, 1)
        assert counter.stats.dropped == 1
        assert flood.left.wait(60)
    assert flood.sent < ENOUGH / 4, "what the kernel's buffers hold, and little more"


def test_a_socket_in_the_file_system(tmp_path_factory):
    folder = tmp_path_factory.mktemp("r")  # a socket's path must be short
    with running_redis("--unixsocket", str(folder / "s")) as server:
        counter = open_counter(f"unix://{folder / 's'}?db=3", timeout=PATIENT, clock=Clock())
        counter.bump(1, 1)
        assert counter.stats.counted == 1
        client = redis.Redis(port=server.port, db=3)
        assert client.get("proposed:20260131:1:1") == b"1"


def test_tls_and_a_certificate_that_is_not_trusted(redis_server, tmp_path):
    certificate = make_certificate(tmp_path)
    with tls_in_front_of(redis_server.port, certificate) as port:
        trusting = f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}"
        counter = open_counter(trusting, timeout=PATIENT, clock=Clock())
        counter.bump(1, 1)
        assert counter.stats.counted == 1
        reader = ProposalReader(RedisAddress.parse(trusting))
        assert reader.every(date(2026, 1, 31), date(2026, 1, 31)).total == 1
        doubting = open_counter(f"rediss://localhost:{port}/0", timeout=PATIENT)
        doubting.bump(1, 1)
        assert doubting.stats.dropped == 1
    assert counters(redis_server) == {"proposed:20260131:1:1": 1}


@pytest.mark.parametrize("password", ["s3cret", None], ids=["wrong", "none"])
def test_a_wrong_password_drops_and_is_not_told(password, caplog):
    with running_redis("--requirepass", "the r1ght") as server:
        place = f"127.0.0.1:{server.port}/0"
        counter = open_counter(f"redis://:{password}@{place}" if password else server.url)
        counter.bump(1, 1)
        assert counter.stats.counted == 0
        right = open_counter(f"redis://:the%20r1ght@{place}", timeout=PATIENT)
        right.bump(1, 1)
        assert right.stats.counted == 1
    assert "s3cret" not in caplog.text
    assert "r1ght" not in caplog.text
    if password:
        assert f"Redis at redis://{place}: " in caplog.text


def test_without_a_setting_the_selector_goes_on(tmp_path):
    program = (
        "import sys\n"
        "if sys.argv[1:]: sys.modules['redis'] = None\n"
        "from shsim.extras.redis_proposals import buffered, bump_proposed, proposal_stats\n"
        "bump_proposed(1, 1)\n"
        "with buffered() as bump: bump(1, 1)\n"
        "print(proposal_stats())\n"
    )
    for url, words, why in (
        ("", (), "Set SHSIM_REDIS_URL"),
        ("redis://:s3cret@@h", (), "percent-encoded"),
        ("redis://h", ("without",), "pip install 'redis[hiredis]>="),
    ):
        done = subprocess.run(
            [sys.executable, "-c", program, *words], env={**os.environ, "SHSIM_REDIS_URL": url},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout == "ProposalStats(counted=0, dropped=2)\n"
        assert done.stderr.count("proposals are not counted") == 1
        assert why in done.stderr
        assert "s3cret" not in done.stderr


def test_the_reader_reads_what_was_counted(redis_server):
    clock = Clock()
    counter = patient(redis_server, clock=clock)
    for day, question, count in ((0, 1, 3), (1, 1, 4), (1, 2, 5), (2, 1, 6)):
        clock.now = NOON + day * DAY
        with counter.buffered() as bump:
            for _ in range(count):
                bump(question, 1)
    reader = ProposalReader(RedisAddress.parse(redis_server.url))
    first, last = date(2026, 1, 31), date(2026, 2, 1)
    table = reader.every(first, last)
    assert table.total == 12
    assert [(each.item, each.proposals) for each in table.by_item()] == [((1, 1), 7), ((2, 1), 5)]
    named = reader.of_items("E", [(2, 1), (3, 1)], first, last)
    assert [(each.item, each.proposals) for each in named.by_item()] == [((2, 1), 5), ((3, 1), 0)]
    moments = datetime(2026, 2, 1, 23, tzinfo=UTC), datetime(2026, 2, 2, 1, tzinfo=UTC)
    by_day = {(last, (1, 1)): 4, (last + timedelta(days=1), (1, 1)): 6}
    assert reader.proposals([(1, 1)], *moments) == by_day


@pytest.mark.long
def test_a_million_counters_are_read(redis_server):
    client = redis_server.client()
    for start in range(0, 1_000_000, 50_000):
        client.mset({f"proposed:20260131:{i}:1": 2 for i in range(start, start + 50_000)})
    reader = ProposalReader(RedisAddress.parse(redis_server.url))
    table = reader.every(date(2026, 1, 31), date(2026, 1, 31))
    assert (len(table.items), table.total) == (1_000_000, 2_000_000)
