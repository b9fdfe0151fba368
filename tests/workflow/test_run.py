"""The order of events of a run, with a real database and real files."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from pools import calibration, golden_pool, make_pool, simulation

from shsim.cli.output_file import OutputFile
from shsim.errors import DatabaseError, DataError
from shsim.model.item_pool import ItemPool
from shsim.storage.open import open_store
from shsim.workflow.run import (
    SavePolicy,
    calibrate_exam,
    calibrate_pool,
    load_checked,
    simulate_pool,
)
from shsim.workflow.watch import Silent

pytestmark = pytest.mark.compiled

SIZE, LENGTH = 80, 8
QUICK = {"n": 1000, "iters": 14, "verify_n": 20_000}
#: One iteration is too few to hold the cap, so few that 20,000 examinees show it.
MISSING = {"n": 1000, "iters": 1, "alpha": 0.01, "verify_n": 20_000}


@pytest.fixture
def path(tmp_path):
    """A database with the exam TEST in it, and nothing else in its folder."""
    folder = tmp_path / "database"
    folder.mkdir()
    store = open_store(f"sqlite:///{folder / 'qbank.sqlite'}")
    store.create_tables()
    store.import_pool(golden_pool(SIZE))
    store.close()
    return folder / "qbank.sqlite"


@pytest.fixture
def opened(path):
    store = open_store(f"sqlite:///{path}")
    yield store
    store.close()


def k_in(path):
    """sh_p by question, read past the Store."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT question_id, sh_p FROM item_exposure_control ORDER BY question_id"
        )
        return dict(rows.fetchall())


def bytes_in(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def quick(**changed):
    return calibration(LENGTH, **(QUICK | changed))


@dataclass
class Recorder:
    """An Output that writes down what the database holds when it is called."""

    path: object
    events: list[tuple[str, dict[int, float]]] = field(default_factory=list)

    def stage(self, result):  # noqa: ARG002 - what is in it is not its affair
        self.events.append(("staged", k_in(self.path)))

    def publish(self, run=None):  # noqa: ARG002 - nor the run's number
        self.events.append(("published", k_in(self.path)))


@dataclass
class At(Silent):
    """A watch that does something when a stage begins, once."""

    moment: str
    act: Callable[[], None]
    notes: list[str] = field(default_factory=list)

    def stage(self, stage, total):  # noqa: ARG002 - a Watch's own signature
        if stage == self.moment:
            self.act()

    def note(self, sentence):
        self.notes.append(sentence)

    warn = note


def new_text(result, form):
    """What an --output file would hold."""
    return f"{form} {len(result.k)}"


def test_a_run_saves_between_staging_and_publishing(path, opened):
    before, recorder = k_in(path), Recorder(path)
    outcome = calibrate_exam(opened, "TEST", quick(), SavePolicy(), output=recorder)
    after = dict(enumerate(outcome.result.k.tolist(), start=1))
    assert recorder.events == [("staged", before), ("published", after)]
    assert k_in(path) == after
    assert outcome.saved.changed + outcome.saved.unchanged == SIZE
    assert outcome.saved.changed > 0


def test_the_next_run_starts_from_what_was_saved(path, opened):
    first = calibrate_exam(opened, "TEST", quick(), SavePolicy()).result
    second = calibrate_exam(opened, "TEST", quick(), SavePolicy()).result
    assert second.pool.k.tobytes() == first.k.tobytes()
    assert second.pool.k_stored.all()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_dry_run_changes_no_byte_and_still_gives_the_file(path, read_only):
    before, recorder = bytes_in(path.parent), Recorder(path)
    store = open_store(f"sqlite:///{path}", read_only=read_only)
    during = []
    watch = At("verifying", lambda: during.append(bytes_in(path.parent)))
    outcome = calibrate_exam(
        store, "TEST", quick(), SavePolicy(dry_run=True), output=recorder, watch=watch
    )
    store.close()
    assert outcome.saved is None
    assert during == [before]
    assert bytes_in(path.parent) == before
    assert [event for event, _ in recorder.events] == ["staged", "published"]


def test_a_dry_run_and_a_saved_one_find_the_same_k(path, opened):
    dry = calibrate_exam(opened, "TEST", quick(), SavePolicy(dry_run=True)).result
    saved = calibrate_exam(opened, "TEST", quick(), SavePolicy()).result
    assert dry.k.tobytes() == saved.k.tobytes()


def test_a_required_cap_that_is_missed_saves_nothing_and_no_file_appears(path, opened):
    before, recorder = k_in(path), Recorder(path)
    settings = calibration(LENGTH, **MISSING)
    policy = SavePolicy(require_cap=True)
    outcome = calibrate_exam(opened, "TEST", settings, policy, output=recorder)
    assert not outcome.result.verdict.held
    assert outcome.saved is None
    assert recorder.events == []
    assert k_in(path) == before


def test_without_the_requirement_a_table_that_misses_is_saved(path, opened):
    outcome = calibrate_exam(opened, "TEST", calibration(LENGTH, **MISSING), SavePolicy())
    assert not outcome.result.verdict.held
    assert list(k_in(path).values()) == outcome.result.k.tolist()


def test_a_required_cap_that_is_held_is_saved(path, opened):
    settings = calibration(LENGTH, verify_n=20_000)
    outcome = calibrate_exam(opened, "TEST", settings, SavePolicy(require_cap=True))
    assert outcome.result.verdict.held
    assert outcome.saved.changed > 0


def change(path, statement):
    def act():
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)
            connection.commit()

    return act


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE item_calibration SET a = a + 1e-9 WHERE question_id = 7",
        "UPDATE item_exposure_control SET sh_p = 0.5 WHERE question_id = 7",
        "DELETE FROM item_exposure_control WHERE question_id = 7",
        "UPDATE question_versions SET state = 'retired' WHERE question_id = 7",
    ],
)
def test_a_pool_that_changed_meanwhile_is_refused_and_nothing_is_published(
    path, opened, tmp_path, statement
):
    target = tmp_path / "k.csv"
    target.write_text("as it was")
    watch = At("verifying", change(path, statement))
    with (
        OutputFile(str(target), new_text) as output,
        pytest.raises(DatabaseError, match="7/1"),
    ):
        calibrate_exam(opened, "TEST", quick(), SavePolicy(), output=output, watch=watch)
    stands = k_in(path)
    assert all(k == 1 for question, k in stands.items() if question != 7)
    assert target.read_text() == "as it was"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["database", "k.csv"]


def test_force_saves_over_a_change(path, opened):
    act = change(path, "UPDATE item_exposure_control SET sh_p = 0.5 WHERE question_id = 7")
    policy = SavePolicy(force=True)
    outcome = calibrate_exam(opened, "TEST", quick(), policy, watch=At("verifying", act))
    assert list(k_in(path).values()) == outcome.result.k.tolist()


def test_a_file_that_cannot_be_staged_saves_nothing(path, opened, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    before = k_in(path)
    watch = At("verifying", lambda: shutil.rmtree(folder))
    with (
        OutputFile(str(folder / "k.csv"), new_text) as output,
        pytest.raises(DataError, match="--output"),
    ):
        calibrate_exam(opened, "TEST", quick(), SavePolicy(), output=output, watch=watch)
    assert k_in(path) == before


def test_the_file_appears_whole(path, opened, tmp_path):
    target = tmp_path / "k.csv"
    with OutputFile(str(target), new_text) as output:
        calibrate_exam(opened, "TEST", quick(), SavePolicy(), output=output)
    assert target.read_text() == "csv 80"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["database", "k.csv"]


def test_nobody_else_can_calibrate_the_exam_meanwhile(path, opened):
    refused = []

    def intrude():
        store = open_store(f"sqlite:///{path}")
        with pytest.raises(DatabaseError, match="is in use") as caught:
            calibrate_exam(store, "TEST", quick(), SavePolicy())
        refused.append(str(caught.value))
        store.close()

    calibrate_exam(opened, "TEST", quick(), SavePolicy(), watch=At("calibrating", intrude))
    assert len(refused) == 1
    calibrate_exam(opened, "TEST", quick(), SavePolicy())


def test_an_interrupt_saves_nothing_and_gives_the_lock_back(path, opened):
    before, recorder = k_in(path), Recorder(path)

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate_exam(
            opened, "TEST", quick(), SavePolicy(), output=recorder,
            watch=At("verifying", interrupt),
        )  # fmt: skip
    assert (k_in(path), recorder.events) == (before, [])
    assert calibrate_exam(opened, "TEST", quick(), SavePolicy()).saved.changed > 0


def test_an_item_of_two_exams_is_told(path, opened):
    opened.import_pool(replace(golden_pool(3), name="OTHER"))
    watch = At("never", lambda: None)
    calibrate_exam(opened, "TEST", quick(), SavePolicy(dry_run=True), watch=watch)
    assert watch.notes == [
        "3 items of TEST are published in OTHER too: their sh_p serves both exams."
    ]


def bad_pool():
    """Raises what a file with two bad rows raises."""
    return make_pool([1, 0, 1], [0, 0, 0], [0.2, 0.2, 1.5])


def test_settings_and_rows_are_refused_in_one_message():
    settings = replace(calibration(2), tau=2.0, n=0)
    with pytest.raises(DataError) as caught:
        load_checked(bad_pool, settings)
    problems = [problem.split(" is ")[0] for problem in caught.value.problems]
    assert problems == ["--tau 2", "--n 0", "TEST: item 2/1: a = 0", "TEST: item 3/1: c = 1.5"]


def test_settings_by_themselves_and_against_the_pool_are_refused_in_one_message():
    settings = replace(calibration(8, tau=0.05), alpha=0.0)
    with pytest.raises(DataError) as caught:
        load_checked(lambda: golden_pool(SIZE), settings)
    assert [problem.split()[0] for problem in caught.value.problems] == ["--alpha", "--tau"]


def test_a_refused_run_leaves_no_trace(path, opened):
    before, recorder = k_in(path), Recorder(path)
    with pytest.raises(DataError, match=r"--tau 0\.05 cannot be met"):
        calibrate_exam(opened, "TEST", quick(tau=0.05), SavePolicy(), output=recorder)
    with pytest.raises(DataError, match="NONE"):
        calibrate_exam(opened, "NONE", quick(), SavePolicy(), output=recorder)
    assert (k_in(path), recorder.events) == (before, [])


def test_a_pool_of_no_database_gives_a_file_unless_the_cap_is_required_and_missed(path):
    settings = calibration(LENGTH, **MISSING)
    for policy, events in ((SavePolicy(), 2), (SavePolicy(require_cap=True), 0)):
        recorder = Recorder(path)
        outcome = calibrate_pool(lambda: golden_pool(SIZE), settings, policy, output=recorder)
        assert (outcome.saved, len(recorder.events)) == (None, events)


def test_simulate_judges_the_k_it_loads():
    pool: ItemPool = golden_pool(SIZE, k=np.full(SIZE, 0.5))
    result = simulate_pool(lambda: pool, simulation(LENGTH, n=2000))
    assert result.pool is pool
    with pytest.raises(DataError, match="--len 81 is longer"):
        simulate_pool(lambda: pool, simulation(81, n=2000))
