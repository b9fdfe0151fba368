"""A blueprint from a TOML file, and every kind of file that is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shsim.errors import DataError
from shsim.model.blueprint import Blueprint, TopicRule
from shsim.model.item_pool import NO_TOPIC
from shsim.storage.blueprint_file import SHAPE, read_blueprint
from shsim.storage.toml_file import read_toml

LARGEST = 2**63 - 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "content.toml"


def problems(file: Path, text: str | bytes) -> list[str]:
    """What is said of a file with this content, without the file's name in front."""
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(DataError) as caught:
        read_blueprint(str(file))
    found = caught.value.problems
    assert all(problem.startswith(f"{file}: ") for problem in found)
    assert not any("\n" in problem for problem in found)
    return [problem.removeprefix(f"{file}: ") for problem in found]


def test_topics_have_a_least_a_most_or_both(file: Path) -> None:
    file.write_text(
        "# spring\n[topics.10]\nleast = 5\nmost = 8\n[topics.none]\nmost = 2\n"
        "[topics.-7]\nleast = 1\n[topics.0]\nleast = 0\nmost = 0\n"
    )
    assert read_blueprint(str(file)) == Blueprint(
        (
            TopicRule(10, 5, 8),
            TopicRule(NO_TOPIC, 0, 2),
            TopicRule(-7, 1, None),
            TopicRule(0, 0, 0),
        ),
        str(file),
    )


def test_topics_read_the_same_however_toml_is_laid_out(file: Path) -> None:
    file.write_text("[topics]\n10 = {least = 5, most = 8}\nnone.most = 2\n'-7'.least = 1\n")
    rules = read_blueprint(str(file)).rules
    assert rules == (TopicRule(10, 5, 8), TopicRule(NO_TOPIC, 0, 2), TopicRule(-7, 1, None))


def test_the_largest_numbers_of_a_database_are_numbers_here(file: Path) -> None:
    file.write_text(f"[topics.{LARGEST}]\nmost = {LARGEST}\n[topics.-{LARGEST}]\nleast = 1\n")
    rules = read_blueprint(str(file)).rules
    assert rules == (TopicRule(LARGEST, 0, LARGEST), TopicRule(-LARGEST, 1, None))


def test_the_number_that_stands_for_no_topic_cannot_be_named_by_its_digits(file: Path) -> None:
    assert (
        "topic -9223372036854775808: it is no whole number, nor 'none'."
        in (problems(file, f"[topics.{NO_TOPIC}]\nleast = 1\n")[0])
    )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    with pytest.raises(DataError, match=re.escape(f"{path}: No such file or directory. Give")):
        read_blueprint(str(path))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=re.escape(f"{tmp_path}: Is a directory.")):
        read_blueprint(str(tmp_path))


def test_a_path_that_no_system_has_is_refused() -> None:
    with pytest.raises(DataError, match="null byte"):
        read_blueprint("content\0.toml")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[topics.10\nleast = 1\n", "not TOML: "),
        (b"[topics.10]\nleast = \n", "not TOML: "),
        (b"[topics.10]\nleast = 1\nleast = 2\n", "not TOML: "),
        (b"[topics.10]\nleast = 05\n", "not TOML: "),
        (b"# \xff\n[topics.10]\nleast = 1\n", "not TOML: 'utf-8' codec can't decode"),
        (b"x = " + b"[" * 5000, "nested beyond all reason"),
        (b"[topics.10]\nleast" + b".a" * 5000 + b" = 1\n", "nested beyond all reason"),
        (b"[topics.10]\nleast = 0x" + b"f" * 5000 + b"\n", "not TOML: a whole number in it is out"),
        (b"[topics.10]\nleast = " + b"9" * 5000 + b"\n", "not TOML: "),
    ],
    ids=["table", "value", "twice", "octal", "utf-8", "lists", "keys", "hex", "digits"],
)
def test_what_is_no_toml_is_one_line(file: Path, content: bytes, words: str) -> None:
    (said,) = problems(file, content)
    assert said.startswith(words)
    assert said.endswith("Correct the file.")


@pytest.mark.parametrize("text", ["", "# nothing\n", "topics = 5\n", "topics = []\n", "[topics]\n"])
def test_a_file_without_topics_shows_what_one_looks_like(file: Path, text: str) -> None:
    assert problems(file, text) == [f"there are no topics in it. {SHAPE}"]


def test_what_stands_beside_the_topics_is_unknown(file: Path) -> None:
    said = problems(file, "[topic.10]\nleast = 1\n[content]\nmost = 1\n")
    assert said == [f"{key!r} is unknown in a blueprint. {SHAPE}" for key in ("topic", "content")]
    assert problems(file, "least = 1\n[topics.10]\nleast = 1\n") == [
        f"'least' is unknown in a blueprint. {SHAPE}"
    ]


@pytest.mark.parametrize(
    "name", ["algebra", "1.5", "+10", "1_0", " 10", "", "--1", "-", "²", "None", "9" * 19, "9" * 99]
)
def test_a_topic_is_a_whole_number_or_none(file: Path, name: str) -> None:
    (said,) = problems(file, f'[topics."{name}"]\nleast = 1\n')
    assert said == f"topic {name}: it is no whole number, nor 'none'. {SHAPE}"


@pytest.mark.parametrize("key", ["least", "most"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("true", "True"),
        ("false", "False"),
        ("-1", "-1"),
        ("2.0", "2.0"),
        ("nan", "nan"),
        ("'5'", "'5'"),
        ("[5]", "[5]"),
        ("{x = 5}", "{'x': 5}"),
        ("1979-05-27", "datetime.date(1979, 5, 27)"),
        (str(-LARGEST - 1), str(-LARGEST - 1)),
    ],
)
def test_a_bound_is_a_whole_number_of_items(file: Path, key: str, value: str, shown: str) -> None:
    (said,) = problems(file, f"[topics.10]\n{key} = {value}\n")
    assert said == f"topic 10: {key} = {shown} is no whole number of items. {SHAPE}"


@pytest.mark.parametrize("content", ["5", "'5 to 8'", "[5, 8]", "{}"])
def test_a_topic_without_a_bound_under_it_is_no_rule(file: Path, content: str) -> None:
    (said,) = problems(file, f"topics.10 = {content}\n")
    assert said == f"topic 10: there is no least nor most under it. {SHAPE}"


def test_a_bound_of_another_name_is_not_passed_over(file: Path) -> None:
    assert problems(file, "[topics.10]\nleast = 1\nmax = 5\n") == [
        f"topic 10: 'max' is neither least nor most. {SHAPE}"
    ]


@pytest.mark.parametrize(
    ("one", "other", "name"),
    [("10", "010", "10"), ("-7", "-007", "-7"), ("0", "-0", "0"), ("00", "000", "0")],
)
def test_a_topic_in_two_spellings_is_named(file: Path, one: str, other: str, name: str) -> None:
    assert problems(file, f"[topics.{one}]\nleast = 1\n[topics.{other}]\nmost = 2\n") == [
        f"topic {name} stands there twice, spelled in two ways. Keep one."
    ]


def test_a_topic_that_toml_holds_apart_by_a_sign_is_no_second_spelling(file: Path) -> None:
    assert problems(file, '[topics.10]\nleast = 1\n[topics."+10"]\nmost = 2\n') == [
        f"topic +10: it is no whole number, nor 'none'. {SHAPE}"
    ]


def test_everything_wrong_is_said_at_once(file: Path) -> None:
    said = problems(
        file,
        "title = 'spring'\n[topics.algebra]\nleast = -1\nmost = true\n[topics.20]\nabout = 3\n"
        "[topics.5]\nleast = 1\n[topics.05]\nleast = 1\n[topics.30]\n",
    )
    assert [problem.removesuffix(f" {SHAPE}") for problem in said] == [
        "'title' is unknown in a blueprint.",
        "topic algebra: it is no whole number, nor 'none'.",
        "topic algebra: least = -1 is no whole number of items.",
        "topic algebra: most = True is no whole number of items.",
        "topic 20: 'about' is neither least nor most.",
        "topic 30: there is no least nor most under it.",
        "topic 5 stands there twice, spelled in two ways. Keep one.",
    ]


def test_what_no_pool_could_make_good_is_left_to_the_settings(file: Path) -> None:
    file.write_text("[topics.10]\nleast = 8\nmost = 5\n")
    assert read_blueprint(str(file)).rules == (TopicRule(10, 8, 5),)


ANY_KEY = st.sampled_from(["topics", "10", "010", "none", "least", "most", "'+1'", "a.b", "-3"])
ANY_VALUE = st.sampled_from(["5", "-5", "true", "2.5", "'x'", "[]", "{least = 1}", "0x" + "f" * 17])
TOML = st.lists(
    st.one_of(
        st.builds("[{}]".format, ANY_KEY),
        st.builds("[topics.{}]".format, ANY_KEY),
        st.builds("{} = {}".format, ANY_KEY, ANY_VALUE),
    ),
    max_size=8,
).map("\n".join)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(text=st.one_of(TOML, st.text().map(str), st.binary()))
@example(text="[topics.10]\nleast = 1\n")
def test_any_text_is_a_blueprint_or_a_data_error(tmp_path: Path, text: str | bytes) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    said: Sequence[str] = ()
    rules: Sequence[TopicRule] = ()
    try:
        rules = read_blueprint(str(path)).rules
    except DataError as error:
        said = error.problems
    assert bool(rules) != bool(said)
    assert all(problem.startswith(f"{path}: ") for problem in said)
    assert len({rule.topic for rule in rules}) == len(rules)
    for rule in rules:
        assert type(rule.least) is int
        assert rule.most is None or type(rule.most) is int


def test_toml_keeps_what_is_within_its_bounds(file: Path) -> None:
    deep = "[" * 40 + "]" * 40
    file.write_text(f"x = {LARGEST}\ny = {-LARGEST - 1}\nz = {deep}\nt = true\n")
    found = read_toml(file)
    assert (found["x"], found["y"], found["t"]) == (LARGEST, -LARGEST - 1, True)
    file.write_text(f"x = [1, {{y = 0x{LARGEST + 1:x}}}]\n")
    with pytest.raises(DataError, match="outside 64 bits"):
        read_toml(file)
