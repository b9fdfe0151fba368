"""What a run is repeated from: the k that it started from, to the last digit."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from front_door import SHORT_TESTS, Run
from storage.databases import execute, query


@pytest.mark.parametrize("before", ["'NaN'", "1.5", "-0.1"])
def test_what_is_no_k_on_record_is_no_start(here: Run, ours: Sequence[str], before: str) -> None:
    assert here("calibrate", *ours, *SHORT_TESTS).code == 0
    execute(ours[1], f"UPDATE shsim_run_item SET k_before = {before} WHERE question_id = 900002")  # noqa: S608
    for dry in ((), ("--dry-run",)):
        ended = here("calibrate", "--from-run", "1", *ours[:2], "--quiet", *dry)
        assert ended.code == 4
        assert "neither in force nor on record" in ended.err
        assert "bug" not in ended.err


@pytest.mark.parametrize("digits", ["0", "-15"])
def test_a_server_that_shortens_numbers_shortens_no_k(
    here: Run, postgres_demo_dsn: str, monkeypatch: pytest.MonkeyPatch, digits: str
) -> None:
    ours, exam = ("--dsn", postgres_demo_dsn), ("--exam", "DEMO-EXAM")
    for seed in ("1", "2"):
        assert here("calibrate", *ours, *exam, *SHORT_TESTS, "--seed", seed).code == 0
    shown = here("show", "2", *ours, "--format", "csv").out
    name = query(postgres_demo_dsn, "SELECT current_database()")[0][0]
    execute(postgres_demo_dsn, f"ALTER DATABASE {name} SET extra_float_digits = {digits}")
    monkeypatch.setenv("PGOPTIONS", f"-c extra_float_digits={digits}")
    assert here("show", "2", *ours, "--format", "csv").out == shown
    again = here("calibrate", "--from-run", "2", *ours, "--quiet")
    assert again.code == 0, again.err
