"""Abilities from a file, one a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from shsim.errors import DataError, UsageError
from shsim.storage.ability_file import read_ability


def test_a_file_holds_one_ability_a_line(tmp_path: Path) -> None:
    path = tmp_path / "theta.txt"
    path.write_text("\ufeff# examinees of spring\n1.5\n\n-2e-1  # an outlier\r\n .5 \n")
    ability = read_ability(f"file:{path}")
    assert ability.values.tolist() == [-0.2, 0.5, 1.5]
    assert ability.spelling == f"file:{path}"


def test_other_spellings_are_the_models() -> None:
    assert read_ability("normal0,1").spelling == "normal:0,1"


def test_every_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "theta.txt"
    path.write_text("0\none\n1e7\nnan\n1_0\n1,5\n")
    with pytest.raises(DataError) as caught:
        read_ability(f"file:{path}")
    assert [problem.split(" is not")[0] for problem in caught.value.problems] == [
        f"{path}:2: ability 'one'",
        f"{path}:3: ability '1e7'",
        f"{path}:4: ability 'nan'",
        f"{path}:5: ability '1_0'",
        f"{path}:6: ability '1,5'",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"# nobody\n", "there is no ability in it"),
        (b"0\n\xff\n", "theta.txt:2: byte 0xff is not UTF-8"),
        (None, "it cannot be read: No such file"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "theta.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_ability(f"file:{path}")


def test_a_file_must_be_named() -> None:
    with pytest.raises(UsageError, match=r"Write file:PATH\."):
        read_ability("file:")
