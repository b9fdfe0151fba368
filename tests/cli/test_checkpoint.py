"""`--checkpoint` and `--resume` from the front door: what goes on, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from front_door import Ended, Run
from small_disks import MakeDisk

from shsim.cli.progress import Narrator
from shsim.model.results import IterationRecord
from shsim.storage.checkpoint_file import CheckpointFile
from shsim.storage.checkpoint_format import encoded

pytestmark = pytest.mark.compiled

#: Iterations enough to be interrupted among, and a verification that is over at once.
RUN = ("--n", "1000", "--iters", "10", "--verify-n", "20000")
SEEDED = (*RUN, "--seed", "1")

Interrupted = Callable[..., Ended]


@pytest.fixture
def interrupted(here: Run, monkeypatch: pytest.MonkeyPatch) -> Interrupted:
    """Run a command that Ctrl-C ends in its sixth iteration."""

    def run(*arguments: str) -> Ended:
        def stop(self: Narrator, record: IterationRecord, items_over: int) -> None:
            if record.iter == 5:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Narrator, "iteration", stop)
            return here(*arguments)

    return run


@pytest.fixture
def pool(here: Run, demo: Sequence[str], tmp_path: Path) -> str:
    path = tmp_path / "pool.csv"
    path.write_text(here("export", *demo).out)
    return str(path)


@pytest.fixture
def kept(pool: str, interrupted: Interrupted, tmp_path: Path) -> tuple[str, ...]:
    """A command that was interrupted, which keeps its state beside the pool."""
    command = ("calibrate", "--pool", pool, "--checkpoint", str(tmp_path / "c.run"), *RUN)
    ended = interrupted(*command, "--seed", "7")
    assert ended.code == 130
    assert ended.out == ""
    assert ended.err.endswith(
        f"interrupted; nothing was saved; its state is in {tmp_path / 'c.run'}, for --resume\n"
    )
    assert there(tmp_path) == ["c.run", "pool.csv"]
    return command


def there(folder: Path) -> list[str]:
    """Files that a run may have made."""
    return sorted(
        path.name for path in folder.iterdir() if path.name not in {"qbank.sqlite", "data"}
    )


def without_times(text: str) -> dict[str, object]:
    document = json.loads(text)
    del document["seconds"]
    for record in document["history"]:
        del record["seconds"]
    return dict(document)


def test_an_interrupted_run_goes_on_with_its_seed(
    kept: tuple[str, ...], here: Run, pool: str, tmp_path: Path
) -> None:
    resumed = here(*kept, "--resume", "--format", "json", "--threads", "1")
    assert resumed.code == 0
    assert "going on after iteration 5 of 10, with the seed 7" in resumed.err
    assert there(tmp_path) == ["pool.csv"]
    whole = here("calibrate", "--pool", pool, *RUN, "--seed", "7", "--format", "json")
    assert without_times(resumed.out) == without_times(whole.out)


def test_a_drawn_seed_is_kept(
    pool: str, interrupted: Interrupted, here: Run, tmp_path: Path
) -> None:
    command = ("calibrate", "--pool", pool, "--checkpoint", str(tmp_path / "c.run"), *RUN)
    drawn = interrupted(*command).err.split("(--seed ")[1].split(" ")[0]
    resumed = here(*command, "--resume", "--format", "csv")
    assert f"with the seed {drawn}\n" in resumed.err
    assert resumed.out == here("calibrate", "--pool", pool, *RUN, "--seed", drawn,
                               "--format", "csv").out  # fmt: skip


def test_where_nothing_is_kept_it_starts_anew_and_says_so(
    pool: str, here: Run, tmp_path: Path
) -> None:
    place = str(tmp_path / "c.run")
    command = ("calibrate", "--pool", pool, *SEEDED, "--format", "csv")
    ended = here(*command, "--checkpoint", place, "--resume")
    assert ended.code == 0
    assert f"there is no {place} to go on with: starting anew" in ended.err
    assert ended.out == here(*command).out
    assert there(tmp_path) == ["pool.csv"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "--seed 7, after iteration 5 of 10, and starting anew would lose it. --resume goes"),
        (("--tau", "0.15"), "iteration 5 of 10 (--tau was 0.2 and is 0.15), and starting anew"),
        (("--dry-run",), "and starting anew would lose it. --resume goes on with it, by the"),
    ],
)
def test_without_resume_a_checkpoint_is_not_lost(
    kept: tuple[str, ...], here: Run, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    before = (tmp_path / "c.run").read_bytes()
    ended = here(*kept, *more)
    assert ended.code == 3
    assert ended.out == ""
    line = ended.err.splitlines()[-1]
    assert line.startswith(f"shsim: --checkpoint {tmp_path / 'c.run'} holds a run of ")
    assert said in line
    assert line.endswith("--or-anew replaces it; or give another FILE.")
    assert (tmp_path / "c.run").read_bytes() == before


def test_or_anew_without_resume_replaces_it(
    kept: tuple[str, ...], here: Run, pool: str, tmp_path: Path
) -> None:
    ended = here(*kept, "--seed", "8", "--format", "csv", "--or-anew")
    assert ended.code == 0
    assert "after iteration 5 of 10: starting anew, as --or-anew asks" in ended.err
    assert (
        ended.out == here("calibrate", "--pool", pool, *RUN, "--seed", "8", "--format", "csv").out
    )
    assert there(tmp_path) == ["pool.csv"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--tau", "0.15"), "--tau was 0.2 and is 0.15"),
        (("--seed", "8"), "--seed was 7 and is 8"),
        (
            ("--len", "20", "--floor", "0.01"),
            "--len was 30 and is 20; --floor was 0.001 and is 0.01",
        ),
        (("--iters", "11"), "--iters was 10 and is 11"),
        (("--restart",), "--restart was false and is true"),
        (("--ability", "eap"), "--ability was true and is eap"),
    ],
)
def test_other_settings_are_refused_by_name(
    kept: tuple[str, ...], here: Run, tmp_path: Path, changed: tuple[str, ...], said: str
) -> None:
    before = (tmp_path / "c.run").read_bytes()
    ended = here(*kept, "--resume", *changed, "--output", str(tmp_path / "k.csv"))
    assert ended.code == 3
    assert ended.out == ""
    assert ended.err.splitlines()[-1].startswith(
        f"shsim: --checkpoint {tmp_path / 'c.run'} is of another run: {said}. Run what"
    )
    assert (tmp_path / "c.run").read_bytes() == before
    assert there(tmp_path) == ["c.run", "pool.csv"]


def test_another_pool_is_refused(kept: tuple[str, ...], here: Run, tmp_path: Path) -> None:
    pool = tmp_path / "pool.csv"
    lines = pool.read_text().splitlines()
    other = tmp_path / "other.csv"
    other.write_text("\n".join(lines[:-1]))
    command = [str(other) if word == str(pool) else word for word in kept]
    before = (tmp_path / "c.run").read_bytes()
    for more in ((), ("--resume",), ("--or-anew",), ("--resume", "--or-anew")):
        ended = here(*command, *more)
        assert ended.code == 3
        assert f"the items differ (that pool was {pool}, this one is {other}" in ended.err
        assert "Give each exam a FILE of its own." in ended.err
        assert (tmp_path / "c.run").read_bytes() == before


def test_what_cannot_be_understood_is_refused(
    kept: tuple[str, ...], here: Run, tmp_path: Path
) -> None:
    place = tmp_path / "c.run"
    content = place.read_bytes()
    step = len(content) // 9
    bad = [content[:length] for length in range(0, len(content), step)]
    flipped = [
        content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        for at in range(20, len(content), step)
    ]
    for damaged in [*bad, *flipped, b"shsim checkpoint 2\n" + content]:
        place.write_bytes(damaged)
        ended = here(*kept, "--resume", "--output", str(tmp_path / "k.csv"))
        assert ended.code == 3
        assert ended.out == ""
        (line,) = ended.err.splitlines()
        assert line.startswith(f"shsim: --checkpoint {place}: it is ")
        assert line.endswith("--or-anew starts anew and replaces it; or give another FILE.")
        assert place.read_bytes() == damaged
        assert there(tmp_path) == ["c.run", "pool.csv"]
    assert here(*kept).code == 3
    assert place.read_bytes() == damaged
    assert here(*kept, "--or-anew").code == 0


def test_a_file_that_another_run_has_is_refused_before_any_work(
    kept: tuple[str, ...], here: Run, tmp_path: Path
) -> None:
    before = (tmp_path / "c.run").read_bytes()
    with CheckpointFile(str(tmp_path / "c.run")):
        for more in ((), ("--resume",)):
            ended = here(*kept, *more)
            assert ended.code == 3
            assert f"--checkpoint {tmp_path / 'c.run'}: it is held by process" in ended.err
    assert (tmp_path / "c.run").read_bytes() == before
    assert there(tmp_path) == ["c.run", "pool.csv"]
    assert here(*kept, "--resume").code == 0


def test_what_is_no_checkpoint_is_never_replaced(here: Run, pool: str) -> None:
    other = shutil.copy(pool, f"{pool}.old")
    before = Path(other).read_bytes()
    for more in ((), ("--resume",)):
        ended = here("calibrate", "--pool", pool, "--checkpoint", other, *SEEDED, *more)
        assert ended.code == 3
        assert "is no checkpoint of shsim" in ended.err
        assert len(ended.err.splitlines()) == 1
        assert Path(other).read_bytes() == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--resume",), "--resume goes on with a run that --checkpoint FILE kept."),
        (("--or-anew",), "--or-anew starts anew over what --checkpoint FILE kept."),
        (("--checkpoint", "c.run", "--method", "exact"), "--checkpoint keeps the iterations of a"),
        (("--checkpoint", "k.csv", "--output", "./k.csv"), "name the same file. Give two names."),
    ],
)
def test_what_would_be_ignored_is_refused(
    here: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = here("calibrate", "--dry-run", *options)
    assert ended.code == 2
    assert said in ended.err
    assert there(tmp_path) == []


def test_a_saved_run_removes_it_and_one_that_may_not_save_too(
    here: Run, demo: Sequence[str], tmp_path: Path
) -> None:
    place = ("--checkpoint", str(tmp_path / "c.run"), *SEEDED)
    few = ("--ability", "eap", "--iters", "1", "--require-cap")
    assert here("calibrate", *demo, *place, *few).code == 5
    assert there(tmp_path) == []
    assert here("calibrate", *demo, *place).code == 0
    assert there(tmp_path) == []


def test_a_run_killed_between_the_save_and_its_end_starts_anew(
    here: Run, demo: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("calibrate", *demo, "--checkpoint", str(tmp_path / "c.run"), *SEEDED)
    for more, said in (
        (("--resume",), "the run of {} had saved its k: starting anew"),
        ((), "the k of {} are in force already: starting anew"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(CheckpointFile, "remove", lambda _: None)
            assert here(*command).code == 0
        assert there(tmp_path) == ["c.run"]
        again = here(*command, *more)
        assert again.code == 0
        assert said.format(tmp_path / "c.run") in again.err
        assert there(tmp_path) == []


def test_one_killed_before_the_save_only_verifies_and_saves(
    here: Run, demo: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("calibrate", *demo, "--checkpoint", str(tmp_path / "c.run"), *SEEDED)
    with monkeypatch.context() as patch:
        patch.setattr("shsim.workflow.run.calibrate", _interrupted_at_the_end)
        assert here(*command).code == 130
    resumed = here(*command, "--resume", "--format", "csv")
    assert resumed.code == 0
    assert "going on after iteration 10 of 10" in resumed.err
    assert "Saved to" in resumed.err


def _interrupted_at_the_end(*arguments: object, **options: object) -> None:
    from shsim.workflow.calibrate import calibrate

    calibrate(*arguments, **options)  # type: ignore[arg-type]
    raise KeyboardInterrupt


def test_a_full_disk_ends_a_run_before_its_work_and_never_after(
    here: Run, pool: str, small_disk: MakeDisk
) -> None:
    tiny = small_disk(16)
    command = ("calibrate", "--pool", pool, *SEEDED, "--format", "csv")
    whole = here(*command)
    ballast = tiny / "ballast"
    ballast.write_bytes(bytes(8192))  # there is room to begin with, and none for the state
    ended = here(*command, "--checkpoint", str(tiny / "c.run"), "--quiet")
    assert ended.code == 0
    assert ended.out == whole.out
    warnings = [line for line in ended.err.splitlines() if "--checkpoint" in line]
    assert len(warnings) == 1
    assert "warning: --checkpoint" in warnings[0]
    assert "No space left on device. The run goes on; nothing is there" in warnings[0]
    assert there(tiny) == ["ballast"]
    ballast.write_bytes(bytes(16384))
    ended = here(*command, "--checkpoint", str(tiny / "c.run"))
    assert ended.code == 3
    assert ended.out == ""
    assert ended.err == (
        f"shsim: --checkpoint {tiny / 'c.run'}: No space left on device."
        " Give a --checkpoint that is a new name in a folder that can be written.\n"
    )
    assert there(tiny) == ["ballast"]


def test_a_disk_that_fills_up_under_a_resumed_run_keeps_the_older_state(
    kept: tuple[str, ...], here: Run, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    place = tmp_path / "c.run"
    before = place.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, limits[1]))
    try:
        ended = here(*kept, "--resume", "--output", str(tmp_path / "k.csv"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert ended.code == 3  # for the output's sake, which is too large as well
    assert "File too large. The run goes on; an older state stays there" in ended.err
    assert place.read_bytes() == before
    found = CheckpointFile(str(place)).read()
    assert found is not None
    assert encoded(found) == before
    assert there(tmp_path) == ["c.run", "pool.csv"]
