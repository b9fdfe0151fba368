"""Pools from CSV and JSON: what is read, and every way in which it is refused."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from pools import make_pool

from shsim.errors import DataError
from shsim.model.item_pool import NO_TOPIC, ItemPool
from shsim.report.render import DataFormat, pool_data
from shsim.storage.csv_file import read_pool

GOOD = "question_id,a,b,c\n17,1.25,-0.5,0.2\n"
COLUMNS = (
    "A pool has the columns question_id,version,topic_id,a,b,c,d,sh_p,"
    " of which question_id, a, b, c must be there."
)
AGAIN = "Correct the row and run again."


def read(text: str | bytes, name: str = "pool.csv") -> ItemPool:
    return read_pool(io.BytesIO(text if isinstance(text, bytes) else text.encode()), name)


def problems(text: str | bytes, name: str = "pool.csv") -> list[str]:
    with pytest.raises(DataError) as caught:
        read(text, name)
    return list(caught.value.problems)


def test_four_columns_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "pool.csv"
    path.write_text(GOOD)
    pool = read_pool(path)
    assert (pool.item(0), pool.topic_id[0]) == ("17/1", NO_TOPIC)
    assert (pool.a[0], pool.b[0], pool.c[0], pool.k[0]) == (1.25, -0.5, 0.2, 1.0)
    assert not pool.k_stored[0]
    assert pool.name == str(path)
    assert read_pool(str(path)).item(0) == "17/1"


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffquestion_id,a,b,c,sh_p,version,topic_id\n17,1.25,-.5,.2,.75,2,3\n",
        "c,b,a,topic_id,version,question_id,sh_p\r\n0.2,-5e-1,1.25,3,2,17,0.75\r\n",
        ' question_id , version,topic_id,a,b,c,sh_p\n\n"17", 2 ,3,1.25,-0.5,0.2,"0.75"\n\n',
        (
            "question_id,version,topic_id,a,b,c,sh_p_before,sh_p,seen,proposed,exposure_rate,"
            "exposure_low,exposure_high,flag\n17,2,3,1.25,-0.5,0.2,1,0.75,9,9,0.1,0.1,0.2,over|floor"
        ),
    ],
)
def test_order_marks_quotes_and_our_own_exports_columns_do_not_matter(text: str) -> None:
    pool = read(text)
    assert (pool.item(0), pool.topic_id[0], pool.k[0]) == ("17/2", 3, 0.75)
    assert (pool.a[0], pool.b[0], pool.c[0]) == (1.25, -0.5, 0.2)
    assert pool.k_stored[0]


def test_empty_fields_stand_for_their_defaults() -> None:
    pool = read("question_id,version,topic_id,a,b,c,sh_p\n17,,,1,0,0.2,\n18,2,5,1,0,0.2,1\n")
    assert pool.version.tolist() == [1, 2]
    assert pool.topic_id.tolist() == [NO_TOPIC, 5]
    assert pool.k_stored.tolist() == [False, True]


def test_the_upper_asymptote_is_1_where_it_is_not_given() -> None:
    assert read(GOOD).d.tolist() == [1.0]
    assert read("question_id,a,b,c,d\n17,1,0,0.2,0.95\n18,1,0,0.2,\n").d.tolist() == [0.95, 1.0]
    items = [{"question_id": 17, "a": 1, "b": 0, "c": 0.2, "d": 0.95}]
    items += [{"question_id": 18, "a": 1, "b": 0, "c": 0.2, "d": None}]
    assert read(json.dumps(items), "pool.json").d.tolist() == [0.95, 1.0]


def test_every_bad_upper_asymptote_is_reported() -> None:
    assert problems("question_id,d,a,b,c\n1,x,1,0,0.2\n2,1.1,1,0,0.2\n3,.2,1,0,0.25\n") == [
        f"pool.csv:2: item 1/1: d = 'x' is not a number. {AGAIN}",
        f"pool.csv:3: item 2/1: d = 1.1 is outside (0, 1]. {AGAIN}",
        f"pool.csv:4: item 3/1: d = 0.2 is not above c = 0.25. {AGAIN}",
    ]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_pool_with_upper_asymptotes_reads_back_as_it_was(form: DataFormat) -> None:
    rng = np.random.default_rng(3)
    c = rng.uniform(0, 0.4, 20)
    d = np.where(np.arange(20) % 3 == 0, 1.0, rng.uniform(0.5, 1, 20))
    pool = make_pool(rng.uniform(0.5, 2, 20), rng.normal(0, 1, 20), c, d=d)
    back = read(pool_data(pool, form))
    for name in ("question_id", "version", "topic_id", "a", "b", "c", "d", "k"):
        assert getattr(back, name).tolist() == getattr(pool, name).tolist()


def test_numbers_keep_every_digit() -> None:
    value = math.nextafter(0.1, 1)
    pool = read(f"question_id,a,b,c\n9223372036854775807,{value!r},1e-300,0\n")
    assert (pool.a[0], pool.b[0]) == (value, 1e-300)
    assert pool.question_id[0] == 9223372036854775807


def test_every_problem_of_a_file_is_reported_at_once_by_row() -> None:
    text = (
        "question_id,version,a,b,c,sh_p\n"
        "17,2,1,0,1.2,1\n"
        "18,1,abc,0,-0.1,\n"
        "x,1,1,,0.2,1\n"
        ",1,-1,0,0.2,1\n"
        "19,1.5,1,inf,0.2,2\n"
        "20,1,1,0\n"
        "9223372036854775808,1,1,0,0.2,nan\n"
        "21,1,1_0,0,0.2,\u0660\n"
        "17,2,1,0,0.2,1\n"
    )
    assert problems(text) == [
        f"pool.csv:2: item 17/2: c = 1.2 is outside [0, 1). {AGAIN}",
        f"pool.csv:3: item 18/1: a = 'abc' is not a number. {AGAIN}",
        f"pool.csv:3: item 18/1: c = -0.1 is outside [0, 1). {AGAIN}",
        f"pool.csv:4: question_id = 'x' is not a whole number. {AGAIN}",
        f"pool.csv:4: b is missing. {AGAIN}",
        f"pool.csv:5: question_id is missing. {AGAIN}",
        f"pool.csv:5: a = -1 is outside (0, 10000]. {AGAIN}",
        f"pool.csv:6: version = '1.5' is not a whole number. {AGAIN}",
        f"pool.csv:6: b = inf is outside [-1e+06, 1e+06]. {AGAIN}",
        f"pool.csv:6: sh_p = 2 is outside [0, 1]. {AGAIN}",
        f"pool.csv:7: it has 4 fields and the header 6. {AGAIN}",
        (
            "pool.csv:8: item 9223372036854775808/1: question_id = '9223372036854775808'"
            f" is outside the 64-bit integers. {AGAIN}"
        ),
        f"pool.csv:8: item 9223372036854775808/1: sh_p = 'nan' is not a number. {AGAIN}",
        f"pool.csv:9: item 21/1: a = '1_0' is not a number. {AGAIN}",
        f"pool.csv:9: item 21/1: sh_p = '\u0660' is not a number. {AGAIN}",
        f"pool.csv:10: item 17/2: the item stands twice in the pool. {AGAIN}",
    ]


def test_the_line_of_a_row_is_that_of_the_file() -> None:
    text = 'question_id,a,b,c,flag\n\n1,1,0,0.2,"two\nlines"\n\n2,1,0,1,\n'
    assert problems(text) == [f"pool.csv:6: item 2/1: c = 1 is outside [0, 1). {AGAIN}"]


def test_digits_beyond_number_are_refused_not_converted() -> None:
    (problem,) = problems(f"question_id,a,b,c\n{'9' * 10_000},1,0,0.2\n")
    assert "is outside the 64-bit integers" in problem
    assert len(problem) < 300


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", f"pool.csv: it is empty. {COLUMNS}"),
        ("\n\n", f"pool.csv: it is empty. {COLUMNS}"),
        ("question_id,a,b,c\n", "pool.csv: the pool holds no item."),
        ("question_id,a,b\n1,1,1\n", f"pool.csv:1: column c is missing. {COLUMNS}"),
        ("question_id,a,b,c,e\n", f"pool.csv:1: column 'e' is unknown. {COLUMNS}"),
        ("question_id,a,b,c,a\n", f"pool.csv:1: column 'a' stands there twice. {COLUMNS}"),
        (
            "question_id;a;b;c\n1;1;0;0,2\n",
            (
                "pool.csv:1: the columns are not separated by commas. Save the file as CSV"
                " with commas."
            ),
        ),
        (
            GOOD.encode() + b"18,1,0,0.2,\xe9\n",
            "pool.csv:3: byte 0xe9 is not UTF-8. Save the file as UTF-8.",
        ),
        (
            GOOD.encode("utf-16"),
            "pool.csv: it is written in UTF-16. Save it as UTF-8.",
        ),
        (
            GOOD + "1\0,1,0,0.2\n",
            "pool.csv:3: there is a NUL byte in it. Save it as UTF-8 text.",
        ),
        (
            GOOD + '18,"1,0,0.2\n',
            f"pool.csv:3: it is not CSV: unexpected end of data. {AGAIN}",
        ),
        ("question_id,a,b,c\n1,1\n", f"pool.csv:2: it has 2 fields and the header 4. {AGAIN}"),
    ],
)
def test_what_is_no_pool_is_refused_in_one_line(text: str | bytes, wanted: str) -> None:
    assert problems(text) == [wanted]


def test_missing_files_and_folders_are_refused_in_one_line(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.csv", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(DataError) as caught:
            read_pool(path)
        assert caught.value.problems[0].startswith(f"{path}: it cannot be read: {words}")
    with pytest.raises(DataError, match="no path"):
        read_pool("a\0b")


def test_json_exports_are_read() -> None:
    item = {"question_id": 17, "version": 2, "topic_id": None, "a": 1.25, "b": -0.5, "c": 0.2}
    document = {"command": "export", "exam": "E", "items": [{**item, "sh_p": 0.75, "flag": ""}]}
    pool = read(json.dumps(document), "pool.json")
    assert (pool.item(0), pool.topic_id[0], pool.k[0]) == ("17/2", NO_TOPIC, 0.75)
    assert not read(json.dumps([item])).k_stored[0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"items": [{"question_id": 1,}]}', "pool.json:1: it is not JSON: "),
        ("[[1]]", "pool.json: it holds no list of items."),
        ('{"rows": []}', "pool.json: it holds no list of items."),
        ('{"items": []}', "pool.json: the pool holds no item."),
        ("[" * 100_000, "pool.json: it is not a pool in JSON."),
        ('[{"question_id": 1, "a": 1, "b": 0}]', "pool.json: column c is missing."),
        ('[{"question_id": 1, "a": 1, "b": 0, "c": 0, "e": 0}]', "pool.json: column 'e' is"),
        (
            '[{"question_id": 1, "a": 1, "b": 0, "c": 0.2, "d": 0.2}]',
            "pool.json: items[0]: item 1/1: d = 0.2 is not above c = 0.2. Correct the row",
        ),
        (
            '[{"question_id": 1.5, "a": true, "b": NaN, "c": {}}]',
            "pool.json: items[0]: question_id = '1.5' is not a whole number.",
        ),
    ],
)
def test_what_is_no_pool_in_json_is_refused(text: str, wanted: str) -> None:
    assert problems(text, "pool.json")[0].startswith(wanted)


def test_every_problem_of_a_json_pool_is_reported() -> None:
    text = '[{"question_id": 1, "a": true, "b": null, "c": 1.5}, {"question_id": 1}]'
    assert problems(text, "p") == [
        f"p: items[0]: item 1/1: a = 'true' is not a number. {AGAIN}",
        f"p: items[0]: item 1/1: b is missing. {AGAIN}",
        f"p: items[0]: item 1/1: c = 1.5 is outside [0, 1). {AGAIN}",
        f"p: items[1]: item 1/1: a is missing. {AGAIN}",
        f"p: items[1]: item 1/1: b is missing. {AGAIN}",
        f"p: items[1]: item 1/1: c is missing. {AGAIN}",
        f"p: items[1]: item 1/1: the item stands twice in the pool. {AGAIN}",
    ]


def test_a_row_of_a_great_many_commas_is_refused_at_once() -> None:
    names = ",".join(f"c{i}" for i in range(200_000))
    assert len(problems(f"{names}\n")) == 200_000 + 4


def test_a_column_with_an_endless_name_is_quoted_short() -> None:
    (problem,) = problems(f"question_id,a,b,c,{'x' * 1000}\n1,1,0,0.2,1\n")
    assert len(problem) < 300


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_encodings_are_told_apart(encoding: str) -> None:
    (problem,) = problems(f"\ufeff{GOOD}".encode(encoding))
    assert problem == f"pool.csv: it is written in {encoding[:6].upper()}. Save it as UTF-8."


def test_a_name_cannot_forge_a_line() -> None:
    (problem,) = problems("question_id,a,b,c\n", "pool\nshsim: saved.csv")
    assert problem == "pool\\nshsim: saved.csv: the pool holds no item."
