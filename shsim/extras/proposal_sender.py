"""Adding counts to the counters in Redis, bounded in time; what cannot be added is dropped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from shsim.extras.allowance import Allowance
from shsim.extras.circuit import Circuit
from shsim.extras.proposal_keys import SECONDS_A_DAY, date_of, spell
from shsim.extras.redis_address import RedisAddress
from shsim.model.audit import ItemKey

#: Counts by UTC day (since 1970) and item.
Batch = Mapping[tuple[int, ItemKey], int]

#: Counters a round trip; a larger batch takes several.
_A_TRIP = 500

#: What a round trip may take in all, in waits: it connects, greets, adds and sets expiries.
_WAITS = 4

#: Of its answers; those to be expected have some 20 bytes a counter, errors 100.
_MOST_BYTES = 1_000_000

#: Counters that are remembered to exist; more than any exam has items.
_REMEMBERED = 200_000

#: Day, counter, count.
Entry = tuple[int, str, int]

_log = logging.getLogger("shsim.proposals")


class RedisSender:
    """Adds batches to the counters of one Redis; never raises, and gives up within its time.

    A round trip ends after four times `seconds`, however the answers come. Once one has failed,
    or taken longer than `seconds` in all, it does not ask again for half a second, then for ever
    longer, up to half a minute. A batch whose answer is lost is not sent again: it may have been
    counted.

    Parameters
    ----------
    address
        The Redis.
    days
        Counters are removed so many days after the day that they count.
    seconds
        To wait for the connection, and for each answer; a round trip has four times that.
    clock
        Seconds since 1970.

    Raises
    ------
    MissingExtraError, UsageError
        As :meth:`RedisAddress.connect`.
    """

    def __init__(
        self,
        address: RedisAddress,
        days: int,
        seconds: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address = address
        self._allowance = Allowance()
        self._client: Any = address.connect(seconds, self._allowance)
        self._days = days
        self._seconds = seconds
        self._clock = clock
        self._circuit = Circuit()
        # A counter gets its expiry where it is made; those made here need not be made again.
        self._made: set[str] = set()

    def send(self, batch: Batch) -> int:
        """Add counts; how much of them was dropped."""
        counts = list(batch.items())
        dropped = 0
        for at in range(0, len(counts), _A_TRIP):
            trip = counts[at : at + _A_TRIP]
            if self._circuit.lets_through():
                dropped += self._trip(
                    [(day, spell(date_of(day), item), count) for (day, item), count in trip]
                )
            else:
                dropped += sum(count for _, count in trip)
        return dropped

    def _trip(self, entries: Sequence[Entry]) -> int:
        began = time.monotonic()
        self._allowance.set(_WAITS * self._seconds, _MOST_BYTES)
        try:
            dropped = self._add(entries)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must go on
            self._made.clear()
            self._open(self._address.blame(error))
            return sum(count for _, _, count in entries)
        if time.monotonic() - began > self._seconds:
            self._open("it is slow")
        elif self._circuit.succeeded():
            _log.warning("proposals are counted again in Redis at %s", self._address.label)
        return dropped

    def _open(self, why: str) -> None:
        if self._circuit.failed():
            label = self._address.label
            _log.warning("proposals are not counted for now: Redis at %s: %s", label, why)

    def _add(self, entries: Sequence[Entry]) -> int:
        """One round trip, and another for counters that were thought to be there and were not."""
        if len(self._made) > _REMEMBERED:
            self._made.clear()
        fresh = [entry for entry in entries if entry[1] not in self._made]
        pipe = self._client.pipeline(transaction=False)
        for day, key, _ in fresh:
            pipe.execute_command("SET", key, 0, "EX", self._seconds_left(day), "NX")
        for _, key, count in entries:
            pipe.execute_command("INCRBY", key, count)
        answers = pipe.execute(raise_on_error=False)[len(fresh) :]
        made = {key for _, key, _ in fresh}
        dropped = 0
        gone = []
        for (day, key, count), answer in zip(entries, answers, strict=True):
            if isinstance(answer, Exception):
                dropped += count
                self._complain(key, answer)
                made.discard(key)
            elif answer == count and key not in made:
                gone.append((day, key))
        self._made.update(made)
        if gone:
            pipe = self._client.pipeline(transaction=False)
            for day, key in gone:
                pipe.execute_command("EXPIRE", key, self._seconds_left(day))
            pipe.execute(raise_on_error=False)
        return dropped

    def _complain(self, key: str, answer: Exception) -> None:
        words = self._address.blame(answer)
        _log.debug("Redis at %s: %s: %s", self._address.label, key, words)

    def _seconds_left(self, day: int) -> int:
        """From now to the counter's end."""
        return max(1, int((day + 1 + self._days) * SECONDS_A_DAY - self._clock()))
