"""Counting what a live selector proposes, in Redis, without ever failing or slowing it.

:func:`bump_proposed` is a hook for :class:`shsim.Selector`::

    with buffered() as bump:                  # one test, or several
        session.next_item(theta_hat, on_proposal=bump)

`shsim proposals` reads the counters, and `shsim audit` holds them against k.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from operator import index
from typing import Protocol

from shsim.errors import ShsimError, UsageError
from shsim.extras.proposal_keys import SECONDS_A_DAY, is_id
from shsim.extras.proposal_sender import Batch, RedisSender
from shsim.extras.redis_address import VARIABLE, RedisAddress
from shsim.model.audit import ItemKey

#: Called with `question_id` and `version` of an item that has been proposed.
Bump = Callable[[int, int], None]

#: Days that a counter is kept after its own, unless SHSIM_PROPOSALS_DAYS says otherwise.
DEFAULT_DAYS = 90
_DAYS_VARIABLE = "SHSIM_PROPOSALS_DAYS"
_MOST_DAYS = 36_500

#: Seconds to wait for the connection and for each answer.
DEFAULT_TIMEOUT = 0.05

#: Counters that a buffer holds before it sends them ahead of its end.
_FULL = 20_000

_log = logging.getLogger("shsim.proposals")


class Sender(Protocol):
    """Where counts go."""

    def send(self, batch: Batch) -> int:
        """Add counts; how much of them was dropped. Never raises."""


@dataclass(frozen=True, slots=True)
class ProposalStats:
    """What became of the proposals of this process: added in Redis, dropped for any reason."""

    counted: int
    dropped: int


class ProposalCounter:
    """Counts proposals by UTC day and item; shared by threads, usable after a fork.

    Parameters
    ----------
    sender
        Where they go: see :func:`open_counter`.
    clock
        Seconds since 1970.
    """

    def __init__(self, sender: Sender, clock: Callable[[], float] = time.time) -> None:
        self._sender = sender
        self._clock = clock
        self._lock = threading.Lock()
        self._counted = 0
        self._dropped = 0
        _forking.add(self)

    @property
    def stats(self) -> ProposalStats:
        """What became of the proposals so far; of those in a buffer nothing yet."""
        return ProposalStats(self._counted, self._dropped)

    def bump(self, question_id: int, version: int) -> None:
        """Count one proposal of an item at once: a round trip to Redis, or nothing."""
        key = self.key(question_id, version)
        if key is not None:
            self.send({key: 1})

    @contextmanager
    def buffered(self) -> Iterator[Bump]:
        """Count what is proposed within this, and send it at its end, however that comes.

        What is yielded may be called from several threads. A proposal belongs to the day on
        which it was made. What a process forked within this finds in the buffer is left to
        its parent.
        """
        buffer = _Buffer(self)
        try:
            yield buffer.bump
        finally:
            buffer.flush()

    def key(self, question_id: int, version: int) -> tuple[int, ItemKey] | None:
        """What a proposal made now is counted under; None where that is no item: it is dropped."""
        try:
            item = index(question_id), index(version)
        except TypeError:
            item = None
        if item is None or not (is_id(item[0]) and is_id(item[1])):
            with self._lock:
                self._dropped += 1
            return None
        return int(self._clock() // SECONDS_A_DAY), item

    def send(self, batch: Batch) -> None:
        """Add counts now."""
        dropped = self._sender.send(batch)
        with self._lock:
            self._counted += sum(batch.values()) - dropped
            self._dropped += dropped

    def in_child(self) -> None:
        """In a child process: another thread of the parent may have held the lock."""
        self._lock = threading.Lock()


class _Buffer:
    """Counts by day and item, until they are sent."""

    def __init__(self, counter: ProposalCounter) -> None:
        self._counter = counter
        self._lock = threading.Lock()
        self._counts: dict[tuple[int, ItemKey], int] = {}
        _forking.add(self)

    def bump(self, question_id: int, version: int) -> None:
        """Count one proposal."""
        key = self._counter.key(question_id, version)
        if key is None:
            return
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1
            full = len(self._counts) >= _FULL
        if full:
            self.flush()

    def flush(self) -> None:
        """Send what there is."""
        with self._lock:
            counts, self._counts = self._counts, {}
        if counts:
            self._counter.send(counts)

    def in_child(self) -> None:
        """In a child process: the counts are the parent's to send."""
        self._lock = threading.Lock()
        self._counts = {}


_forking: weakref.WeakSet[ProposalCounter | _Buffer] = weakref.WeakSet()


def _after_fork() -> None:
    for each in _forking:
        each.in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def open_counter(
    url: str | None = None,
    *,
    days: int | None = None,
    timeout: float = DEFAULT_TIMEOUT,
    clock: Callable[[], float] = time.time,
) -> ProposalCounter:
    """A counter of proposals in a Redis, which is not asked yet.

    Parameters
    ----------
    url
        ``redis://``, ``rediss://`` or ``unix://``; None: SHSIM_REDIS_URL.
    days
        How long a counter is kept after its day; None: SHSIM_PROPOSALS_DAYS, else 90.
    timeout
        Seconds to wait for the connection and for each answer; a round trip has four times that.
    clock
        Seconds since 1970.

    Raises
    ------
    UsageError
        The URL is missing or none, or the days are.
    MissingExtraError
        redis-py is not installed.
    """
    given = url if url is not None else os.environ.get(VARIABLE)
    if not given:
        raise UsageError(f"no Redis is named for the proposal counters. Set {VARIABLE}.")
    sender = RedisSender(RedisAddress.parse(given), _days(days), timeout, clock)
    return ProposalCounter(sender, clock)


def bump_proposed(question_id: int, version: int) -> None:
    """Count one proposal in the Redis of SHSIM_REDIS_URL; never fails, nor slows the caller.

    It takes a round trip where Redis is well, a few time-outs of 50 ms where it has just stopped
    answering, and microseconds after that. What cannot be counted is dropped, and
    :func:`proposal_stats` says how much. A test's worth is better counted within
    :func:`buffered`.
    """
    _shared().bump(question_id, version)


@contextmanager
def buffered() -> Iterator[Bump]:
    """As :func:`bump_proposed` for what is proposed within this, sent together at its end."""
    with _shared().buffered() as bump:
        yield bump


def proposal_stats() -> ProposalStats:
    """What became of this process's proposals."""
    return _shared().stats


class _Nowhere:
    """Drops everything: the selector must run where the counters are misconfigured, too."""

    def send(self, batch: Batch) -> int:
        return sum(batch.values())


@lru_cache(maxsize=1)
def _shared() -> ProposalCounter:
    """The counter that the environment names."""
    try:
        return open_counter()
    except ShsimError as error:
        _log.warning("proposals are not counted: %s", error)
        return ProposalCounter(_Nowhere())


def _days(given: int | None) -> int:
    text = os.environ.get(_DAYS_VARIABLE, "") if given is None else str(given)
    try:
        days = int(text or DEFAULT_DAYS)
    except ValueError:
        days = 0
    if not 1 <= days <= _MOST_DAYS:
        raise UsageError(f"{_DAYS_VARIABLE} {text!r} is not 1 to {_MOST_DAYS} days.")
    return days
