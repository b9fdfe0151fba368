"""CSV and JSON: the columns and keys that other programs read."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from made_up_results import calibration, pool, simulation

import shsim
from shsim.model.item_pool import NO_TOPIC
from shsim.report.document import json_text
from shsim.report.render import pool_data, result_data, result_text

CALIBRATED = (
    "question_id,version,topic_id,a,b,c,sh_p_before,sh_p,seen,proposed,"
    "exposure_rate,exposure_low,exposure_high,flag"
)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_the_agreed_columns_in_their_order() -> None:
    assert result_data(calibration(), "csv").splitlines()[0] == CALIBRATED
    assert result_data(simulation(), "csv").splitlines()[0] == CALIBRATED.replace(
        "sh_p_before,", ""
    )
    assert pool_data(pool(), "csv").splitlines()[0] == "question_id,version,topic_id,a,b,c,sh_p"


def test_the_upper_asymptote_has_a_column_where_one_is_below_1() -> None:
    four = replace(pool(), d=np.where(np.arange(300) == 7, 0.9, 1.0))
    exported = table(pool_data(four, "csv"))
    assert list(exported[0]) == ["question_id", "version", "topic_id", "a", "b", "c", "d", "sh_p"]
    assert [float(row["d"]) for row in exported] == four.d.tolist()
    assert json.loads(pool_data(four, "json"))["items"][7]["d"] == 0.9
    for result in (replace(calibration(), pool=four), replace(simulation(), pool=four)):
        assert result_data(result, "csv").splitlines()[0].startswith("question_id,version,topic_id")
        assert [float(row["d"]) for row in table(result_data(result, "csv"))] == four.d.tolist()
        items = json.loads(result_data(result, "json"))["items"]
        assert [item["d"] for item in items] == four.d.tolist()


def test_csv_reads_back_to_the_last_bit() -> None:
    result = calibration()
    rows = table(result_data(result, "csv"))
    columns = {
        "a": result.pool.a, "b": result.pool.b, "c": result.pool.c, "sh_p": result.k,
        "sh_p_before": result.pool.k, "exposure_rate": result.exposure.rate,
        "exposure_low": result.exposure.low, "exposure_high": result.exposure.high,
    }  # fmt: skip
    for name, values in columns.items():
        assert [float(row[name]) for row in rows] == values.tolist()
    for name in ("seen", "proposed"):
        assert [int(row[name]) for row in rows] == getattr(result.exposure, name).tolist()
    assert [row["question_id"] for row in rows] == list(map(str, result.pool.question_id))


def test_what_is_missing_is_empty_in_csv_and_null_in_json() -> None:
    items = pool()
    assert items.topic_id[0] == NO_TOPIC
    rows = table(pool_data(items, "csv"))
    assert rows[0]["topic_id"] == ""
    assert [row["sh_p"] == "" for row in rows] == (~items.k_stored).tolist()
    exported = json.loads(pool_data(items, "json"))["items"]
    assert exported[0]["topic_id"] is None
    assert (exported[0]["sh_p"], exported[1]["sh_p"]) == (1.0, None)


def test_flags() -> None:
    result = calibration(held=False)
    flags = [row["flag"] for row in table(result_data(result, "csv"))]
    assert flags[12] == "over|floor"
    assert flags[0] == "unused"
    assert flags[150] == "defaulted"
    assert flags[20] == ""
    over = [bool(flag) and "over" in flag.split("|") for flag in flags]
    assert over == result.exposure.over.tolist()
    simulated = [row["flag"] for row in table(result_data(simulation(), "csv"))]
    assert not any("floor" in flag for flag in simulated)


def test_json_has_the_agreed_keys() -> None:
    result = calibration()
    document = json.loads(result_data(result, "json"))
    assert {"command", "exam", "run", "settings", "seed", "history", "verification"} <= set(
        document
    )
    assert {"converged", "items", "stopped", "verdict", "before", "version"} <= set(document)
    assert document["command"] == "calibrate"
    assert document["version"] == shsim.__version__
    assert document["run"] is None
    # As a save counts: where none was stored, 1 is a change too.
    assert not result.pool.k_stored.all()
    moved = {i for i, k in enumerate(result.k) if k != result.pool.k[i]}
    none = {i for i, stored in enumerate(result.pool.k_stored) if not stored}
    assert document["changed"] == len(moved | none) > len(moved)
    assert document["seed"] == document["settings"]["seed"] == 7
    assert document["settings"]["theta"] == "normal:0,1"
    assert set(document["history"][0]) == {"iter", "avg_exp", "max_exp", "max_over", "seconds"}
    assert set(document["verdict"]) == {"held", "sentence", "reason", "remedy"}
    assert {
        "n", "max_exposure", "max_over", "over", "over_beyond_noise", "overlap", "chi_square",
        "gini", "unused", "forced", "proposals_per_test", "max_by_decile", "information",
        "information_kept",
    } <= set(document["verification"])  # fmt: skip
    assert document["converged"] is True
    assert ",".join(document["items"][0]) == CALIBRATED
    assert document["items"][3]["sh_p"] == result.k[3]


def test_a_simulation_has_the_same_keys() -> None:
    simulated = json.loads(result_data(simulation(), "json"))
    assert set(simulated) == set(json.loads(result_data(calibration(), "json")))
    assert simulated["command"] == "simulate"
    assert simulated["history"] == []


def test_json_never_holds_what_json_has_not() -> None:
    result = calibration()
    odd = replace(result, measures=replace(result.measures, gini=np.nan, information=np.inf))
    found = json.loads(result_data(odd, "json"), parse_constant=pytest.fail)
    assert found["verification"]["gini"] is None
    assert found["verification"]["information"] is None
    assert found["verification"]["overlap"] == result.measures.overlap
    assert json_text({"rows": [{"x": np.inf}], "none": []}) == (
        '{\n  "rows": [\n    {"x": null}\n  ],\n  "none": []\n}\n'
    )


def test_data_is_the_same_wherever_it_goes() -> None:
    result = simulation()
    for form in ("csv", "json"):
        assert result_text(result, form, sys.stdout, ["Saved."]) == result_data(result, form)
