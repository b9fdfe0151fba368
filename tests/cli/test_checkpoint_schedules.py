"""`--checkpoint` in a line that cron runs every night: it never stops calibrating for good."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from front_door import Ended, Run

from shsim.cli.progress import Narrator
from shsim.model.results import IterationRecord

pytestmark = pytest.mark.compiled

RUN = ("--n", "1000", "--iters", "10", "--verify-n", "20000")
EDIT = "UPDATE item_calibration SET b = b + 0.01 WHERE question_id = 900398"

Night = Callable[..., Ended]


def edit(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        assert connection.execute(EDIT).rowcount == 1
    connection.close()


@pytest.fixture
def night(here: Run, demo: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    """Run the line; `meanwhile` happens in its sixth iteration."""
    line = ("calibrate", *demo, *RUN, "--checkpoint", str(tmp_path / "c.run"), "--resume")

    def run(*more: str, meanwhile: Callable[[], None] = lambda: None) -> Ended:
        def iteration(self: Narrator, record: IterationRecord, items_over: int) -> None:
            if record.iter == 5:
                meanwhile()

        with monkeypatch.context() as patch:
            patch.setattr(Narrator, "iteration", iteration)
            return here(*line, *more)

    return run


def killed() -> None:
    raise KeyboardInterrupt


def test_a_refused_save_leaves_nothing_to_go_on_with(
    night: Night, demo_file: Path, tmp_path: Path
) -> None:
    refused = night(meanwhile=lambda: edit(demo_file))
    assert refused.code == 4
    assert "changed in the database during the run" in refused.err
    assert not (tmp_path / "c.run").exists()
    assert night().code == 0


def test_after_a_kill_and_an_edit_it_starts_anew_where_it_may(
    night: Night, here: Run, demo: Sequence[str], demo_file: Path, tmp_path: Path
) -> None:
    assert night("--seed", "7", meanwhile=killed).code == 130
    edit(demo_file)
    on_record = here("history", *demo[:2]).out
    refused = night()
    assert refused.code == 3
    assert "--or-anew, which a schedule has, starts anew" in refused.err
    assert here("history", *demo[:2]).out == on_record  # it never began
    begun = night("--or-anew")
    assert begun.code == 0
    assert (
        f"warning: --checkpoint {tmp_path / 'c.run'} is of another run: the items differ"
        in begun.err
    )
    assert "starting anew, as --or-anew asks" in begun.err
    assert not (tmp_path / "c.run").exists()


@pytest.mark.parametrize("more", [("--tau", "0.25"), ("--seed", "8")])
def test_other_settings_start_anew_too(night: Night, more: tuple[str, ...]) -> None:
    assert night("--seed", "7", meanwhile=killed).code == 130
    begun = night("--or-anew", *more)
    assert begun.code == 0
    assert f"{more[0]} was " in begun.err
    assert "going on after" not in begun.err


def test_a_damaged_file_starts_anew_too(night: Night, tmp_path: Path) -> None:
    assert night(meanwhile=killed).code == 130
    (tmp_path / "c.run").write_bytes((tmp_path / "c.run").read_bytes()[:-9])
    begun = night("--or-anew")
    assert begun.code == 0
    assert "it is cut off or damaged: starting anew" in begun.err


def test_what_can_be_gone_on_with_is_not_started_anew(night: Night) -> None:
    assert night(meanwhile=killed).code == 130
    resumed = night("--or-anew")
    assert resumed.code == 0
    assert "going on after iteration 5 of 10" in resumed.err


def test_the_file_of_another_pool_is_refused_all_the_same(
    night: Night, here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    assert night(meanwhile=killed).code == 130
    before = (tmp_path / "c.run").read_bytes()
    pool = tmp_path / "pool.csv"
    pool.write_text("\n".join(here("export", *demo).out.splitlines()[:-1]))
    ended = here("calibrate", "--pool", str(pool), *RUN, "--checkpoint", str(tmp_path / "c.run"),
                 "--resume", "--or-anew")  # fmt: skip
    assert ended.code == 3
    assert "is of another run: the items differ (that pool was DEMO-EXAM" in ended.err
    assert (tmp_path / "c.run").read_bytes() == before


def test_a_dry_run_leaves_the_state_to_the_run_that_saves(night: Night, tmp_path: Path) -> None:
    assert night("--seed", "7", meanwhile=killed).code == 130
    looked = night("--dry-run", "--format", "csv")
    assert looked.code == 0
    assert f"{tmp_path / 'c.run'} stays, since nothing was saved" in looked.err
    assert (tmp_path / "c.run").exists()
    saved = night("--format", "csv")
    assert saved.code == 0
    assert "going on after iteration 10 of 10" in saved.err
    assert saved.out == looked.out
    assert not (tmp_path / "c.run").exists()


def test_a_dry_run_takes_its_own_state_away(night: Night, tmp_path: Path) -> None:
    assert night("--dry-run").code == 0
    assert not (tmp_path / "c.run").exists()
