"""A save that was to override changed items is on record as such, on both databases."""

from __future__ import annotations

import json
from collections.abc import Sequence

from front_door import SHORT_TESTS, Run


def test_a_forced_calibration_is_told_from_another(here: Run, ours: Sequence[str]) -> None:
    csv = ("--format", "csv")
    forced = here("calibrate", *ours, *SHORT_TESTS, "--force", *csv)
    assert forced.code == 0, forced.err
    assert ["force", "yes"] in [
        line.split() for line in here("show", "1", *ours[:2]).out.split("\n")
    ]
    repeated = here("calibrate", "--from-run", "1", *ours[:2], *csv)
    assert repeated.code == 0, repeated.err
    assert repeated.out == forced.out
    # What is repeated overrides nothing of itself.
    assert (
        "force" not in json.loads(here("show", "2", *ours[:2], "--format", "json").out)["settings"]
    )
    told = json.loads(here("diff", "1", "2", *ours[:2], "--format", "json").out)["settings"]
    assert told == {"force": [True, None]}
