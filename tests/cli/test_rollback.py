"""Undoing a run from the front door: what it does, and what it would do."""

from __future__ import annotations

import json
from collections.abc import Sequence

from front_door import SHORT_CALIBRATION, Run
from storage.databases import execute, query

K = "SELECT question_id, sh_p FROM item_exposure_control ORDER BY 1"


def test_a_rollback_and_its_rollback(here: Run, ours: Sequence[str]) -> None:
    database = ours[:2]
    here("calibrate", *ours, *SHORT_CALIBRATION)
    saved = query(ours[1], K)
    assert here("rollback", "1", *database, "--dry-run").code == 0
    assert query(ours[1], K) == saved
    back = here("rollback", "1", *database)
    assert back.code == 0, back.err
    words = " ".join(back.out.split())
    assert "480 items had no sh_p before that run: it becomes 1, which" in words
    assert "Recorded as run 2; shsim rollback 2 undoes this." in words
    assert {k for _, k in query(ours[1], K)} == {1.0}
    again = here("rollback", "1", *database)
    assert again.code == 4
    assert "run 1 was rolled back already, by run 2: the k before it are in force" in again.err
    assert here("rollback", "2", *database).code == 0
    assert query(ours[1], K) == saved
    outcomes = [
        (row["command"], row["outcome"])
        for row in json.loads(here("history", *database, "--format", "json").out)["runs"]
    ]
    assert outcomes == [
        ("rollback", "saved"), ("rollback", "refused"), ("rollback", "saved"),
        ("calibrate", "saved"),
    ]  # fmt: skip


def test_a_rollback_after_a_hands_edit_needs_force(here: Run, ours: Sequence[str]) -> None:
    here("calibrate", *ours, *SHORT_CALIBRATION)
    execute(ours[1], "UPDATE item_exposure_control SET sh_p = 0.123 WHERE question_id = 900001")
    for dry in ((), ("--dry-run",)):
        ended = here("rollback", "1", *ours[:2], *dry)
        assert ended.code == 4
        assert "item 900001/" in ended.err
        assert "it is 0.123" in ended.err
    execute(ours[1], "DELETE FROM item_exposure_control WHERE question_id = 900002")
    force = ("rollback", "1", *ours[:2], "--force", "--format", "json")
    planned = json.loads(here(*force, "--dry-run").out)
    counted = here("rollback", "1", *ours[:2], "--force", "--dry-run").out
    forced = json.loads(here(*force).out)
    assert [item["sh_p_before"] for item in forced["items"][:2]] == [0.123, None]
    assert {item["sh_p"] for item in forced["items"]} == {1.0}
    assert planned["items"] == forced["items"]
    assert f"({forced['changed']} of 480 changed)" in counted
    assert query(ours[1], "SELECT min(sh_p) FROM item_exposure_control") == [(1.0,)]


def test_a_rollback_that_changes_nothing_lists_no_items(here: Run, demo: Sequence[str]) -> None:
    here("calibrate", *demo, *SHORT_CALIBRATION)
    here("rollback", "1", *demo[:2])
    again = here("rollback", "1", *demo[:2], "--force")
    assert again.code == 0
    assert "No k is another than before (0 of 480 rows changed)." in again.out
    assert "changed most" not in again.out
    execute(demo[1], "DELETE FROM item_exposure_control WHERE question_id = 900002")
    again = here("rollback", "1", *demo[:2], "--force")
    assert "No k is another than before (1 of 480 rows changed)." in again.out
