"""Reading the counters of proposals back from Redis."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from shsim.errors import DataError
from shsim.extras.proposal_keys import PATTERN, day_of, read, spell
from shsim.extras.redis_address import RedisAddress
from shsim.model.audit import ItemKey
from shsim.model.proposals import ProposalTable

#: Seconds to wait for an answer: nobody's test waits meanwhile.
_PATIENCE = 5.0

#: Keys a round trip.
_A_TRIP = 5_000

#: Counters that may be asked for by name.
_MOST_NAMED = 20_000_000

Value = TypeVar("Value")


class ProposalReader:
    """The counters of one Redis.

    Raises
    ------
    MissingExtraError, UsageError
        As :meth:`RedisAddress.connect`.
    """

    def __init__(self, address: RedisAddress) -> None:
        self._address = address
        self._client: Any = address.connect(_PATIENCE)

    @property
    def label(self) -> str:
        """The Redis as people name it, without the password."""
        return self._address.label

    def proposals(
        self, items: Sequence[ItemKey], since: datetime, until: datetime
    ) -> Mapping[tuple[date, ItemKey], int]:
        """Times each item was proposed, by UTC day, from that of `since` to that of `until`.

        Raises
        ------
        DatabaseError
            Redis is out of reach, or refuses.
        """
        return self.of_items(None, items, day_of(since), day_of(until)).counts

    def of_items(
        self, exam: str | None, items: Sequence[ItemKey], since: date, until: date
    ) -> ProposalTable:
        """The counters of these items, asked for by name.

        Raises
        ------
        DatabaseError
            Redis is out of reach, or refuses.
        DataError
            There are too many days.
        """
        span = range((until - since).days + 1)
        if len(span) * len(items) > _MOST_NAMED:
            raise DataError(
                f"{len(span):,} days of {len(items):,} items are more counters than can be asked"
                " for. Give a later --since."
            )
        counts: dict[tuple[date, ItemKey], int] = {}
        skipped: list[str] = []
        wanted = ((since + timedelta(days), item) for days in span for item in items)
        for trip in _batches(wanted, _A_TRIP):
            keys = [spell(day, item) for day, item in trip]
            with self._address.asked():
                values = self._client.mget(keys)
            for place, key, value in zip(trip, keys, values, strict=True):
                if value is not None:
                    _count(counts, skipped, place, key.encode(), value)
        return ProposalTable(exam, since, until, counts, tuple(items), tuple(skipped))

    def every(self, since: date, until: date) -> ProposalTable:
        """All counters of these days; keys and values that are none are skipped by name.

        Raises
        ------
        DatabaseError
            Redis is out of reach, or refuses.
        """
        skipped: list[str] = []
        places: dict[bytes, tuple[date, ItemKey]] = {}
        with self._address.asked():
            for key in self._client.scan_iter(match=PATTERN, count=_A_TRIP):
                place = read(key)
                if place is None:
                    skipped.append(f"{_shown(key)}: it is not proposed:YYYYMMDD:QUESTION:VERSION.")
                elif since <= place[0] <= until:
                    places[key] = place
        counts: dict[tuple[date, ItemKey], int] = {}
        for trip in _batches(places.items(), _A_TRIP):
            with self._address.asked():
                values = self._client.mget([key for key, _ in trip])
            for (key, place), value in zip(trip, values, strict=True):
                if value is not None:
                    _count(counts, skipped, place, key, value)
                elif kind := self._kind(key):
                    skipped.append(f"{_shown(key)}: it holds a {kind}, not a count.")
        items = tuple(sorted({item for _, item in counts}))
        return ProposalTable(None, since, until, counts, items, tuple(dict.fromkeys(skipped)))

    def _kind(self, key: bytes) -> str | None:
        """The type of a key that is no string; None where it has expired meanwhile."""
        with self._address.asked():
            kind = str(self._client.type(key).decode())
        return None if kind in {"none", "string"} else kind


def _count(
    counts: dict[tuple[date, ItemKey], int],
    skipped: list[str],
    place: tuple[date, ItemKey],
    key: bytes,
    value: bytes,
) -> None:
    """Keep a counter's value, if it is one."""
    if not value.isdigit() or len(value) > 19:
        skipped.append(f"{_shown(key)}: {_shown(value)} is not a count.")
    elif count := int(value):
        counts[place] = counts.get(place, 0) + count


def _shown(text: bytes) -> str:
    """A key or a value as a message may quote it."""
    return repr(text[:80])[1:]


def _batches(values: Iterable[Value], size: int) -> Iterator[list[Value]]:
    remaining = iter(values)
    while batch := list(islice(remaining, size)):
        yield batch
