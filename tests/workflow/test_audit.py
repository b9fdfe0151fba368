"""What `audit` does beside what its front door shows: proposals, a selector that counts them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from live_tests import respond
from storage.databases import pool_of

from shsim.model.audit import AuditSettings, ItemKey
from shsim.report.audit_data import audit_columns
from shsim.report.audit_summary import audit_summary
from shsim.report.canvas import Canvas
from shsim.storage.open import open_store
from shsim.workflow.audit import audit_exam

SINCE = datetime(2026, 1, 31, tzinfo=UTC)


class Counted:
    """A selector that counted what it proposed."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, datetime]] = []

    def proposals(self, exam: str, since: datetime, until: datetime) -> Mapping[ItemKey, int]:
        assert since < until
        self.asked.append((exam, since))
        return {(11, 1): 40, (99, 1): 5}


def test_live_proposals_stand_beside_the_attempts(tmp_path: Path) -> None:
    dsn = f"sqlite:///{tmp_path / 'qbank.sqlite'}"
    counted = Counted()
    with closing(open_store(dsn)) as store:
        store.create_tables()
        store.import_pool(pool_of("E"))
        respond(dsn, {(11, 1): 20, (12, 2): 30, (13, 1): 10}, "2026-02-01 00:00:00")
        asked = AuditSettings(since=SINCE, tests=60, length=1)
        result = audit_exam(store, "E", asked, proposals=counted)
        without = audit_exam(store, "E", asked)
    assert counted.asked == [("E", SINCE)]
    assert result.attempts.tolist() == [20, 30, 10]
    columns = audit_columns(result)
    assert columns["live_proposals"] == [40, 0, 0]
    assert "live_proposals" not in audit_columns(without)
    text = audit_summary(result, Canvas(width=80, colour=False, blocks=True))
    assert "proposals" in text
    assert max(map(len, text.splitlines())) <= 80
