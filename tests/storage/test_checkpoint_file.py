"""A checkpoint's file: the same bytes back, or one line that says why not."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from kept_runs import checkpoint, measures

from shsim.errors import DataError
from shsim.model.checkpoint import Checkpoint
from shsim.storage.checkpoint_file import CheckpointFile
from shsim.storage.checkpoint_format import decoded, encoded

COUNTS = st.integers(0, 2**53)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
KINDS = {"k": np.float64, "log_sum": np.float64, "seen": np.int64}


@st.composite
def checkpoints(draw: st.DrawFn) -> Checkpoint:
    size, examinees = draw(st.integers(1, 20)), draw(COUNTS)
    good = {
        "k": st.floats(0, 1),
        "log_sum": st.floats(-745, 0) | st.just(-np.inf),
        "seen": st.integers(0, examinees),
    }
    columns: dict[str, Any] = {
        name: draw(arrays(kind, size, elements=good[name])) for name, kind in KINDS.items()
    }
    made = checkpoint(
        size,
        draw(st.integers(0, 30)),
        averaged=draw(st.integers(1, 2**53)),
        examinees=examinees,
        stopped=draw(st.sampled_from([None, "converged", "iterations"])),
        **columns,
    )
    without = draw(st.sets(st.sampled_from(["lengths", "accuracy", "uncontrolled"])))
    before = measures(overlap=draw(NUMBERS), **dict.fromkeys(without))
    made.identity.settings[draw(st.text())] = draw(st.none() | st.text() | NUMBERS)
    return Checkpoint(made.identity, before, draw(st.sampled_from(["one", "exact"])), made.state)


@examples(deadline=None)  # the machine may be busy
@given(checkpoints())
def test_what_is_written_is_read_to_the_last_bit(made: Checkpoint) -> None:
    content = encoded(made)
    back = decoded(content)
    assert encoded(back) == content
    for name in KINDS:
        column, original = getattr(back.state, name), getattr(made.state, name)
        assert column.tobytes() == original.tobytes()
        assert column.dtype == original.dtype
        assert column.flags.writeable
    # A float's repr tells all of it, and a nan equals no other.
    assert repr(back.before) == repr(made.before)
    assert repr(back.identity) == repr(made.identity)
    assert back.state.history == made.state.history


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_cut_off_anywhere_is_refused_and_may_be_replaced(tmp_path: Path) -> None:
    path = tmp_path / "c.run"
    content = encoded(checkpoint())
    file = CheckpointFile(str(path))
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"(cut off|no checkpoint).*--or-anew") as fault:
            file.read()
        assert len(fault.value.problems) == 1
        assert "\n" not in str(fault.value)
    for length in (0, 3, 30, len(content) // 2):
        path.write_bytes(content[:length])
        file = CheckpointFile(str(path))
        file.write(checkpoint())
        assert path.read_bytes() == content
    assert files(tmp_path) == ["c.run"]


@examples(deadline=None)
@given(st.data())
def test_flipped_bits_and_strange_bytes_are_refused(data: st.DataObject) -> None:
    content = bytearray(encoded(checkpoint()))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    if bytes(content) == encoded(checkpoint()):
        return
    with pytest.raises(ValueError, match=r"damaged|no checkpoint|is of format|cut off"):
        decoded(bytes(content))
    with pytest.raises(ValueError, match=r"^(it is|its content)"):
        decoded(data.draw(st.binary()))


def forged(body: bytes) -> bytes:
    from hashlib import sha256

    return b"shsim checkpoint 1\n" + sha256(body).hexdigest().encode() + b"\n" + body


def test_a_true_checksum_over_nonsense_is_refused() -> None:
    body = encoded(checkpoint()).split(b"\n", 2)[2]
    assert encoded(decoded(forged(body))) == forged(body)
    for bad in (
        b"",
        b"[]\n",
        b"null\n",
        b"[" * 100_000,
        body + b"x",
        body[:-8],
        body.replace(b'"items": 3', b'"items": -3'),
        body.replace(b'"items": 3', b'"items": "3"'),
        body.replace(b'"<f8"', b'"|O8"'),
        body.replace(b'"log_sum"', b'"seen"', 1),
        body.replace(b'"before"', b'"behind"'),
        body.replace(b'"gini"', b'"djinn"'),
        body.replace(b'"history": [[0, ', b'"history": [[0, 1, '),
    ):
        assert bad != body
        with pytest.raises(ValueError, match="its content makes no sense"):
            decoded(forged(bad))


@pytest.mark.parametrize(
    ("column", "bad"),
    [
        *(("k", bad) for bad in (-1e-9, 1 + 1e-9, np.nan, np.inf)),
        *(("log_sum", bad) for bad in (1e-9, -1e300, -746 * 2, np.nan, np.inf)),
        *(("seen", bad) for bad in (-1, 101)),
    ],
)
def test_a_true_checksum_over_numbers_out_of_range_is_refused(column: str, bad: float) -> None:
    kept: dict[str, Any] = {"averaged": 2, "examinees": 100, "seen": np.arange(3)}
    good = checkpoint(**kept)
    assert decoded(encoded(good)).state.examinees == 100
    values = getattr(good.state, column).copy()
    values[1] = bad
    with pytest.raises(ValueError, match="its content makes no sense"):
        decoded(encoded(checkpoint(**{**kept, column: values})))


def test_no_ln_of_0_is_taken_where_none_was_averaged() -> None:
    logs = np.array([0.0, -np.inf, 0.0])
    assert decoded(encoded(checkpoint(averaged=1, log_sum=logs))).state.log_sum[1] == -np.inf
    with pytest.raises(ValueError, match="its content makes no sense"):
        decoded(encoded(checkpoint(averaged=0, log_sum=logs)))


def test_another_format_is_named(tmp_path: Path) -> None:
    path = tmp_path / "c.run"
    path.write_bytes(encoded(checkpoint()).replace(b"checkpoint 1\n", b"checkpoint 27\n", 1))
    with pytest.raises(DataError, match="format '27', and this version of shsim reads format 1"):
        CheckpointFile(str(path)).read()


def test_it_is_replaced_and_removed_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.run"
    file = CheckpointFile(str(path))
    assert files(tmp_path) == []
    assert file.read() is None
    for done in (1, 2):
        file.write(checkpoint(done=done))
        found = file.read()
        assert found is not None
        assert found.state.done == done
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files(tmp_path) == ["c.run"]
    file.remove()
    file.remove()
    assert files(tmp_path) == []


def test_what_a_killed_run_left_beside_it_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / ".c.run.shsim-tmp").write_bytes(encoded(checkpoint(10_000))[:100_000])
    file = CheckpointFile(str(tmp_path / "c.run"))
    assert files(tmp_path) == [".c.run.shsim-tmp"]  # a run that still goes on may be using it
    file.write(checkpoint())
    assert files(tmp_path) == ["c.run"]
    for left in (b"", bytes(10_000)):  # zeros are what a power cut leaves
        (tmp_path / ".c.run.shsim-tmp").write_bytes(left)
        CheckpointFile(str(tmp_path / "c.run"))
        file.remove()
        assert files(tmp_path) == []


def test_a_link_stays(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "c.run")
    CheckpointFile(str(tmp_path / "link")).write(checkpoint())
    assert files(tmp_path) == ["c.run", "link"]
    assert (tmp_path / "link").is_symlink()


def _plain(staged: Path, _precious: Path) -> None:
    staged.write_text("precious")


def _link(staged: Path, precious: Path) -> None:
    staged.symlink_to(precious)


def _hard_link(staged: Path, precious: Path) -> None:
    staged.hardlink_to(precious)


@pytest.mark.parametrize("put", [_plain, _link, _hard_link])
def test_what_is_no_checkpoint_under_the_staged_name_is_left_alone(
    tmp_path: Path, put: Callable[[Path, Path], None]
) -> None:
    precious, staged = tmp_path / "precious", tmp_path / ".c.run.shsim-tmp"
    precious.write_text("precious")
    file = CheckpointFile(str(tmp_path / "c.run"))
    put(staged, precious)
    before = files(tmp_path)
    with pytest.raises(DataError, match=r"\.c\.run\.shsim-tmp, .* is there already.*Give a"):
        CheckpointFile(str(tmp_path / "c.run"))
    with pytest.raises(FileExistsError):  # where it has come meanwhile
        file.write(checkpoint())
    file.remove()
    assert staged.read_text() == precious.read_text() == "precious"
    assert files(tmp_path) == before


def test_a_checkpoint_that_the_staged_name_shares_is_not_written_to(tmp_path: Path) -> None:
    other = tmp_path / "other.run"
    CheckpointFile(str(other)).write(checkpoint())
    before = other.read_bytes()
    (tmp_path / ".c.run.shsim-tmp").hardlink_to(other)
    CheckpointFile(str(tmp_path / "c.run")).write(checkpoint(5))
    assert other.read_bytes() == before
    assert files(tmp_path) == ["c.run", "other.run"]


def test_what_is_no_checkpoint_is_left_alone(tmp_path: Path) -> None:
    for content in (b"question_id,a,b,c\n", b"\0", b"shsim checkpoinT 1\n", b"shsim  "):
        path = tmp_path / "k.csv"
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"is there already.*Give a --checkpoint"):
            CheckpointFile(str(path))
        assert path.read_bytes() == content
        assert files(tmp_path) == ["k.csv"]


def test_what_cannot_work_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    (tmp_path / "plain").write_text("")
    before = files(tmp_path)
    for path in (
        tmp_path / "folder",
        tmp_path / "pipe",
        tmp_path / "round",
        tmp_path / "none" / "c.run",
        tmp_path / "plain" / "c.run",
        tmp_path / ("x" * 250),
        "/dev/full",
        "/",
        "",
        "a\0b",
    ):
        with pytest.raises(DataError, match=r"^--checkpoint .*Give a --checkpoint") as fault:
            CheckpointFile(str(path))
        assert len(fault.value.problems) == 1
    assert files(tmp_path) == before


def test_a_write_that_fails_leaves_the_older_state(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "c.run"
    file = CheckpointFile(str(path))
    file.write(checkpoint())
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before), limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            file.write(checkpoint(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert files(tmp_path) == ["c.run"]


def test_one_run_has_it_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "c.run")
    (tmp_path / ".c.run.shsim-lock").write_text("by process 1, which was killed")
    with CheckpointFile(str(tmp_path / "c.run")) as file:
        for name in ("c.run", "link"):
            with (
                pytest.raises(DataError, match=rf"held by process {os.getpid()} .* of its own"),
                CheckpointFile(str(tmp_path / name)),
            ):
                pass
        file.write(checkpoint())
    assert files(tmp_path) == ["c.run", "link"]
    with CheckpointFile(str(tmp_path / "link")) as file:
        assert file.read() is not None
    assert files(tmp_path) == ["c.run", "link"]
