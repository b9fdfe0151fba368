"""A pool is validated once, where it is made, and cannot be changed after."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shsim.errors import PROBLEMS_SHOWN, DataError
from shsim.model.item_pool import LARGEST_A, LARGEST_B, NO_TOPIC, ItemPool

ARRAYS = (
    "question_id", "version", "topic_id", "a", "b", "c", "d", "k", "k_stored", "defaulted",
)  # fmt: skip


def columns(size=4, **changed):
    return {
        "question_id": np.arange(1, size + 1),
        "version": np.ones(size, np.int64),
        "topic_id": np.full(size, NO_TOPIC),
        "a": np.linspace(0.5, 2, size),
        "b": np.linspace(-1, 1, size),
        "c": np.full(size, 0.2),
        "k": np.linspace(0, 1, size),
        **changed,
    }


def row(column, value):
    """Columns whose third row has one bad value."""
    made = columns(d=np.full(4, 0.9))
    made[column] = made[column].copy()
    made[column][2] = value
    return made


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("a", 0.0, "a = 0 is outside (0, 10000]"),
        ("a", -1.0, "a = -1 is outside (0, 10000]"),
        ("a", np.nextafter(LARGEST_A, np.inf), "a = 10000.000000000002 is outside (0, 10000]"),
        ("a", np.inf, "a = inf is outside (0, 10000]"),
        ("a", np.nan, "a is missing"),
        ("b", np.inf, "b = inf is outside [-1e+06, 1e+06]"),
        ("b", -np.inf, "b = -inf is outside [-1e+06, 1e+06]"),
        ("b", 1.1 * LARGEST_B, "b = 1.1e+06 is outside [-1e+06, 1e+06]"),
        ("b", np.nan, "b is missing"),
        ("c", 1.0, "c = 1 is outside [0, 1)"),
        ("c", 1.2, "c = 1.2 is outside [0, 1)"),
        ("c", -1e-9, "c = -1e-09 is outside [0, 1)"),
        ("c", np.nan, "c is missing"),
        ("d", 0.0, "d = 0 is outside (0, 1]"),
        ("d", 1 + 1e-9, "d = 1.000000001 is outside (0, 1]"),
        ("d", np.nan, "d is missing"),
        ("d", 0.2, "d = 0.2 is not above c = 0.2"),
        ("d", 0.1, "d = 0.1 is not above c = 0.2"),
        ("k", 1 + 1e-9, "sh_p = 1.000000001 is outside [0, 1]"),
        ("k", -0.5, "sh_p = -0.5 is outside [0, 1]"),
        ("k", np.inf, "sh_p = inf is outside [0, 1]"),
        ("k", np.nan, "sh_p is missing"),
    ],
)
def test_a_bad_value_is_named_with_its_place(column, value, words):
    with pytest.raises(DataError) as caught:
        ItemPool.build("E", row(column, value), locate=lambda i: f"pool.csv:{i + 2}")
    assert str(caught.value) == f"pool.csv:4: item 3/1: {words}. Correct the row and run again."


def test_without_a_place_the_pool_is_named():
    with pytest.raises(DataError, match=r"^DEMO-EXAM: item 3/1: c = 1 "):
        ItemPool.build("DEMO-EXAM", row("c", 1.0))


def test_the_upper_asymptote_is_1_unless_given_and_c_may_come_close():
    pool = ItemPool.build("E", columns(c=np.full(4, 1 - 2**-53)))
    assert pool.d.tolist() == [1.0] * 4
    assert not pool.has_upper
    assert ItemPool.build("E", columns(d=np.array([1, 1, 0.9, 1]))).has_upper


@pytest.mark.parametrize(
    ("column", "value"),
    [("a", 1e-300), ("a", LARGEST_A), ("b", -LARGEST_B), ("c", 0.0), ("c", np.nextafter(0.9, 0)),
     ("d", np.nextafter(0.2, 1)), ("d", 1.0),
     ("k", 0.0), ("k", 5e-324), ("k", 1.0)],
)  # fmt: skip
def test_the_ends_of_the_ranges_are_good(column, value):
    pool = ItemPool.build("E", row(column, value))
    assert getattr(pool, column)[2] == value


def test_all_problems_come_at_once_in_the_order_of_the_rows():
    bad = columns(
        a=np.array([1, 0, 1, 1.0]), c=np.array([0.2, 2, 0.2, -1]), b=np.array([np.nan, 0, 0, 0])
    )
    with pytest.raises(DataError) as caught:
        ItemPool.build("E", bad)
    assert [problem.split(". Correct")[0] for problem in caught.value.problems] == [
        "E: item 1/1: b is missing",
        "E: item 2/1: a = 0 is outside (0, 10000]",
        "E: item 2/1: c = 2 is outside [0, 1)",
        "E: item 4/1: c = -1 is outside [0, 1)",
    ]


@pytest.mark.parametrize(("size", "last"), [(20, None), (21, "1 more"), (5021, "5,001 more")])
def test_twenty_problems_are_shown_and_the_rest_counted(size, last):
    with pytest.raises(DataError) as caught:
        ItemPool.build("E", columns(size, a=np.zeros(size)))
    lines = str(caught.value).splitlines()
    assert len(caught.value.problems) == size
    assert lines[:PROBLEMS_SHOWN] == list(caught.value.problems[:PROBLEMS_SHOWN])
    assert lines[PROBLEMS_SHOWN:] == ([] if last is None else [f"... and {last} of the kind."])


def test_a_duplicate_is_named_where_it_comes_again():
    bad = columns(
        5, question_id=np.array([7, 3, 7, 7, 3]), version=np.array([1, 2, 1, 2, 2])
    )  # 7/1 in rows 0 and 2, 3/2 in rows 1 and 4
    with pytest.raises(DataError) as caught:
        ItemPool.build("E", bad, locate=lambda i: f"row {i}")
    assert [problem.split(". Correct")[0] for problem in caught.value.problems] == [
        "row 2: item 7/1: the item stands twice in the pool",
        "row 4: item 3/2: the item stands twice in the pool",
    ]


def test_an_empty_pool_is_refused():
    with pytest.raises(DataError, match="E: the pool holds no item"):
        ItemPool.build("E", columns(0))


@given(
    st.lists(
        st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1)),
        min_size=1, max_size=30, unique=True,
    )
)  # fmt: skip
def test_items_stand_in_the_order_of_id_and_version_with_all_their_values(ids):
    size = len(ids)
    given_columns = columns(
        size,
        question_id=np.array([i for i, _ in ids]),
        version=np.array([v for _, v in ids]),
        topic_id=np.arange(size),
        d=np.linspace(0.3, 1, size),
        k_stored=np.arange(size) % 2 == 0,
        defaulted=np.arange(size) % 3 == 0,
    )
    pool = ItemPool.build("E", given_columns)
    assert list(zip(pool.question_id.tolist(), pool.version.tolist(), strict=True)) == sorted(ids)
    for name in ARRAYS:
        assert getattr(pool, name).tolist() == given_columns[name][pool.topic_id].tolist()


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_contiguous_read_only_copies(name):
    made = columns(d=np.full(4, 0.9))
    wide = {key: np.repeat(value, 2)[::2] for key, value in made.items()}
    pool = ItemPool.build("E", wide)
    array = getattr(pool, name)
    assert array.flags.c_contiguous
    assert len(array) == len(pool) == 4
    with pytest.raises(ValueError, match="read-only"):
        array[0] = array[1]
    if name in wide:
        before = array.tolist()
        wide[name][:] = 9
        assert array.tolist() == before


def test_types_are_the_kernels_own():
    made = columns()
    made["a"] = made["a"].astype(np.float32)
    made["question_id"] = made["question_id"].astype(np.int32)
    pool = ItemPool.build("E", made)
    assert {getattr(pool, name).dtype for name in "abcdk"} == {np.dtype(np.float64)}
    assert pool.question_id.dtype == np.int64
    assert pool.k_stored.all()
    assert not pool.defaulted.any()


@pytest.mark.parametrize("name", ["version", "topic_id", "a", "d", "k", "defaulted"])
def test_columns_of_different_lengths_are_the_caller_s_mistake(name):
    made = columns(d=np.ones(4), defaulted=np.zeros(4, bool))
    made[name] = np.append(made[name], made[name][-1:])
    with pytest.raises(ValueError, match="one value for each item"):
        ItemPool.build("E", made)


def test_with_k_leaves_the_pool_and_takes_a_copy():
    pool = ItemPool.build("E", columns(k_stored=np.zeros(4, bool)))
    k = np.array([0.1, 0.2, 0.3, 0.4])
    other = pool.with_k(k)
    k[0] = 0.9
    assert other.k.tolist() == [0.1, 0.2, 0.3, 0.4]
    assert other.k_stored.all()
    assert other.a is pool.a
    assert not pool.k_stored.any()
    assert pool.k.tolist() == columns()["k"].tolist()
    with pytest.raises(ValueError, match="read-only"):
        other.k[0] = 0.5


@pytest.mark.parametrize(
    "k", [[0.1, 0.2, 0.3], [[0.1, 0.2, 0.3, 0.4]], [0.1, 0.2, 0.3, np.nan], [0, 0, 0, 1.1], 0.5]
)
def test_with_k_refuses_what_is_no_k(k):
    with pytest.raises(ValueError, match="one value in"):
        ItemPool.build("E", columns()).with_k(np.array(k))


def test_an_item_is_written_as_people_write_it():
    assert ItemPool.build("E", columns()).item(2) == "3/1"
