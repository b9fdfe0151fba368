"""A rollback that is refused: what has changed since, and what is to be done first."""

from __future__ import annotations

import numpy as np
import pytest
from storage.databases import execute, pool_of
from storage.records import save

from shsim.errors import RefusedError
from shsim.storage.base import Store
from shsim.workflow.past_runs import rollback


def test_a_rollback_after_a_later_run_names_that_run(filled: Store) -> None:
    first = save(filled)
    second = save(filled, np.array([0.2, 1 / 3, 1.0]))
    refusal, item = str(filled.ledger.moved_on(1)).splitlines()
    assert refusal == (
        "k have changed since run 1, so nothing was rolled back. Roll back run 2 first, or give"
        " --force to restore the k before this one all the same."
    )
    assert item == "item 11/1: run 1 left sh_p at 0.1, and it is 0.2, as run 2 left it."
    rollback(filled, second.run)
    rollback(filled, first.run)


def test_a_run_rolled_back_already_is_said_to_be(filled: Store, dsn: str) -> None:
    """Rolling the "later run" back, the rollback itself, would put the run's own k in force."""
    first = save(filled)
    done = rollback(filled, first.run)
    already = f"run {first.run} was rolled back already, by run {done.run}"
    for dry_run in (True, False):
        with pytest.raises(RefusedError) as caught:
            rollback(filled, first.run, dry_run=dry_run)
        assert str(caught.value).startswith(f"{already}: the k before it are in force")
    later = save(filled)
    execute(dsn, "UPDATE item_exposure_control SET sh_p = 0.7 WHERE question_id = 11")
    said = filled.ledger.moved_on(first.run)
    assert said is not None
    assert said.splitlines()[0].startswith(f"{already}, and k have changed since")
    execute(dsn, "UPDATE shsim_run SET settings = '[' WHERE id = 2")  # told by who asks for it
    assert str(filled.ledger.moved_on(first.run)).startswith("k have changed since run 1")
    rollback(filled, later.run, force=True)


def test_a_rollback_that_was_rolled_back_undid_nothing(filled: Store, dsn: str) -> None:
    first = save(filled)
    back = rollback(filled, first.run)
    assert back.run is not None
    rollback(filled, back.run)
    execute(dsn, "UPDATE item_exposure_control SET sh_p = 0.7 WHERE question_id = 11")
    assert str(filled.ledger.moved_on(first.run)).startswith("k have changed since run 1")


def test_the_run_to_roll_back_first_is_none_that_a_rollback_cancelled(
    filled: Store, dsn: str
) -> None:
    """Runs 2 and 3 are undone one after the other, and run 3 is put back in between."""
    for k in (0.1, 0.2, 0.3):
        save(filled, np.full(3, k))
    told = []
    for undone in (3, 4, 3):
        told.append(str(filled.ledger.moved_on(1)))
        rollback(filled, undone)
    told.append(str(filled.ledger.moved_on(1)))
    assert [said.partition("Roll back ")[2][:11] for said in told] == [
        "run 3 first", "run 2 first", "run 3 first", "run 2 first",
    ]  # fmt: skip
    assert "as run 6 left it" in told[-1]
    rollback(filled, 2)
    assert filled.ledger.moved_on(1) is None
    execute(dsn, "UPDATE item_exposure_control SET sh_p = 0.7 WHERE question_id = 11")
    said = str(filled.ledger.moved_on(1))
    assert "later run" in said.splitlines()[0]
    assert "Roll back" not in said


def test_a_change_by_hand_sends_to_no_later_run(filled: Store, dsn: str) -> None:
    save(filled)
    execute(dsn, "UPDATE item_exposure_control SET sh_p = 0.7 WHERE question_id = 11")
    with pytest.raises(RefusedError) as caught:
        rollback(filled, 1)
    assert str(caught.value).splitlines()[0] == (
        "k have changed since run 1, so nothing was rolled back. The k named here were changed by"
        " hand, by an import or by a run that was not recorded, and by no later run that could be"
        " rolled back. Give --force to restore the k before this one all the same."
    )


def test_k_that_are_as_before_the_run_already_are_said_to_be(filled: Store, dsn: str) -> None:
    """A rollback that could not be recorded leaves them so."""
    done = rollback(filled, save(filled).run)
    execute(dsn, f"DELETE FROM shsim_run_item WHERE run = {done.run}")  # noqa: S608
    execute(dsn, f"DELETE FROM shsim_run WHERE id = {done.run}")  # noqa: S608
    said = "the k before run 1 are in force already: there is nothing to roll back."
    assert filled.ledger.moved_on(1) == said
    with pytest.raises(RefusedError, match="nothing to roll back"):
        rollback(filled, 1)
    execute(dsn, "UPDATE item_exposure_control SET sh_p = 0.7 WHERE question_id = 11")
    assert str(filled.ledger.moved_on(1)).startswith("k have changed since run 1")


def test_a_later_run_of_another_exam_is_named(filled: Store) -> None:
    filled.import_pool(pool_of("F"))
    save(filled)
    save(filled, np.full(3, 0.2), "F")
    save(filled, np.full(3, 0.3), "F")
    rollback(filled, 3)
    assert "Roll back run 2 first" in str(filled.ledger.moved_on(1))
