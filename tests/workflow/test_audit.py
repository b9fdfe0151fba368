"""What `audit` does beside what its front door shows: proposals, a selector that counts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from live_tests import respond
from storage.databases import pool_of

from shsim.errors import DatabaseError
from shsim.model.audit import AuditSettings, ItemKey
from shsim.report.audit_data import audit_columns, flag_words
from shsim.report.audit_summary import audit_sentences, audit_summary
from shsim.report.canvas import Canvas
from shsim.storage.base import Store
from shsim.storage.open import open_store
from shsim.workflow.audit import audit_exam
from shsim.workflow.watch import Silent

SINCE = datetime(2026, 1, 31, tzinfo=UTC)
TESTS_ON = date(2026, 2, 1)


class Counted:
    """A selector that counted what it proposed."""

    def __init__(self, counts: Mapping[ItemKey, int], *, began: date | None = None) -> None:
        self.counts, self.began = counts, began
        self.asked: list[tuple[Sequence[ItemKey], datetime]] = []

    def proposals(
        self, items: Sequence[ItemKey], since: datetime, until: datetime
    ) -> Mapping[tuple[date, ItemKey], int]:
        assert since < until
        self.asked.append((items, since))
        if self.began is None:
            return {(since.date(), item): count for item, count in self.counts.items()}
        return {
            (self.began, ITEMS[0]): 7,
            **{(TESTS_ON, item): count for item, count in self.counts.items()},
        }


class Unreachable:
    """A Redis that is down."""

    def proposals(self, *_: object) -> Mapping[tuple[date, ItemKey], int]:
        raise DatabaseError("Redis at redis://h is down.")


class Listening(Silent):
    """Keeps the warnings and notes."""

    def __init__(self) -> None:
        self.warned: list[str] = []
        self.noted: list[str] = []

    def note(self, sentence: str) -> None:
        self.noted.append(sentence)

    def warn(self, sentence: str) -> None:
        self.warned.append(sentence)


@pytest.fixture
def audited_store(tmp_path: Path) -> Iterator[Store]:
    """The exam E of three items, with attempts on one day of February 2026."""
    dsn = f"sqlite:///{tmp_path / 'qbank.sqlite'}"
    with closing(open_store(dsn)) as store:
        store.create_tables()
        store.import_pool(pool_of("E"))
        respond(dsn, {(11, 1): 20, (12, 2): 30, (13, 1): 10}, "2026-02-01 00:00:00")
        yield store


ITEMS = [(11, 1), (12, 2), (13, 1)]


def test_live_proposals_stand_beside_the_attempts(audited_store: Store) -> None:
    counted = Counted({(11, 1): 40, (99, 1): 5})
    asked = AuditSettings(since=SINCE, tests=60, length=1)
    result = audit_exam(audited_store, "E", asked, proposals=counted)
    without = audit_exam(audited_store, "E", asked)
    assert counted.asked == [(ITEMS, SINCE)]
    assert result.attempts.tolist() == [20, 30, 10]
    columns = audit_columns(result)
    assert columns["live_proposals"] == [40, 0, 0]
    assert columns["live_acceptance"] == [0.5, None, None]
    assert "live_proposals" not in audit_columns(without)
    text = audit_summary(result, Canvas(width=80, colour=False, blocks=True))
    assert "proposals" in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("counts", [Unreachable(), Counted({}, began=date(2999, 1, 1))])
def test_columns_of_proposals_are_there_and_empty_where_nothing_is_known(
    audited_store: Store, counts: Counted | Unreachable
) -> None:
    asked = AuditSettings(since=SINCE, tests=60, length=1)
    columns = audit_columns(audit_exam(audited_store, "E", asked, proposals=counts))
    assert list(columns)[-2:] == ["live_proposals", "live_acceptance"]
    assert columns["live_proposals"] == columns["live_acceptance"] == [None] * 3


def test_a_window_that_begins_within_a_day_counts_proposals_from_the_next(
    audited_store: Store,
) -> None:
    counted = Counted({(11, 1): 40, (12, 2): 3000})
    late = SINCE + timedelta(hours=1)
    asked = AuditSettings(since=late, tests=60, length=1)
    result = audit_exam(audited_store, "E", asked, proposals=counted)
    assert counted.asked == [(ITEMS, SINCE + timedelta(days=1))]
    assert result.proposed is not None
    assert result.proposed.attempts.tolist() == [20, 30, 10]
    assert "accepts_less" in flag_words(result, 1)


@pytest.mark.parametrize(
    ("began", "proposals", "attempts"),
    [
        (date(2026, 1, 31), [40, 0, 0], [20, 30, 10]),
        (date(2026, 2, 1), [0, 0, 0], [0, 0, 0]),  # its attempts may be older than its counts
    ],
)
def test_acceptance_is_judged_once_proposals_are_counted(
    audited_store: Store, began: date, proposals: list[int], attempts: list[int]
) -> None:
    watch = Listening()
    asked = AuditSettings(since=SINCE - timedelta(days=9), tests=60, length=1)
    counted = Counted({(11, 1): 40}, began=began)
    result = audit_exam(audited_store, "E", asked, proposals=counted, watch=watch)
    assert f"no proposal is on count before {began}, and" in " ".join(watch.noted)
    assert result.proposed is not None
    assert f"{result.proposed.since:%Y-%m-%d}" == f"{began + timedelta(days=1)}"
    assert result.proposed.proposals.tolist() == proposals
    assert result.proposed.attempts.tolist() == attempts


def test_more_attempts_than_proposals_are_no_share(audited_store: Store) -> None:
    counted = Counted({(11, 1): 4})
    asked = AuditSettings(since=SINCE, tests=60, length=1)
    result = audit_exam(audited_store, "E", asked, proposals=counted)
    (told,) = [each for each in audit_sentences(result) if "proposals from" in each]
    assert told.endswith("there were 20 attempts on the items proposed: counts are missing.")


def test_flags_are_broken_between_words(audited_store: Store) -> None:
    counted = Counted({(11, 1): 4000, (12, 2): 4000})
    asked = AuditSettings(since=SINCE, tests=6000, length=1)
    result = audit_exam(audited_store, "E", asked, proposals=counted)
    assert flag_words(result, 0) == "drift_down|accepts_less"
    text = audit_summary(result, Canvas(width=60, colour=False, blocks=True))
    assert {"drift_down", "accepts_less"} <= set(text.split())


def test_today_alone_tells_nothing_of_proposals(audited_store: Store) -> None:
    watch = Listening()
    asked = AuditSettings(since=datetime.now(UTC) - timedelta(seconds=1), tests=60, length=1)
    counted = Counted({})
    result = audit_exam(audited_store, "E", asked, proposals=counted, watch=watch)
    if asked.since is not None and asked.since.hour + asked.since.minute:  # not at midnight
        assert (result.proposed, counted.asked) == (None, [])
        assert "by whole UTC days" in " ".join(watch.warned)


def test_counters_out_of_reach_are_said_and_the_audit_goes_on(audited_store: Store) -> None:
    watch = Listening()
    asked = AuditSettings(since=SINCE, tests=60, length=1)
    result = audit_exam(audited_store, "E", asked, proposals=Unreachable(), watch=watch)
    assert result.proposed is None
    assert result.attempts.tolist() == [20, 30, 10]
    assert "goes on without live proposals. Redis at redis://h is down." in " ".join(watch.warned)


def test_an_estimate_by_the_most_used_item_says_so(audited_store: Store, tmp_path: Path) -> None:
    """60 attempts on items of the exam, and 15 on a former version; 30 of them on one item."""

    def told(**asked: int) -> str:
        result = audit_exam(audited_store, "E", AuditSettings(since=SINCE, **asked))
        (sentence,) = [each for each in audit_sentences(result) if "number of tests" in each]
        return sentence

    assert told(length=2).startswith(
        "The number of tests, 30, is an estimate: 60 attempts on items of this exam alone, 2.00 a"
    )
    respond(f"sqlite:///{tmp_path / 'qbank.sqlite'}", {(11, 7): 15}, "2026-02-01 00:00:00")
    former = "on items of this exam alone (15 of them on versions that no exam publishes now)"
    assert told(length=3) == (
        "The number of tests, 30, is the least that there can have been: item 12/2 has so many"
        f" attempts, and a test holds it once. 75 attempts {former}, 3.00 a test, would be 25"
        " tests: they may have been shorter, or broken off. --tests gives the true number."
    )
    assert told(length=1).startswith(
        f"The number of tests, 75, is an estimate: 75 attempts {former}, 1.00 a test. Tests"
    )
    assert told(length=1, tests=50) == (
        f"The number of tests, 50, is as given; 1.50 attempts a test {former}, where 1.00 are"
        " expected."
    )
