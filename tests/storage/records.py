"""Records of runs as workflow writes them, with figures made up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from shsim.model.run_record import RecordedRun, RunRecord
from shsim.storage.base import Store

BEGUN = datetime(2026, 1, 31, 22, 15, 0, 123456, tzinfo=UTC)

#: Of the three items of exam E.
K = np.array([0.1, 1 / 3, 1.0])


def record(**changed: Any) -> RunRecord:
    values: dict[str, Any] = {
        "command": "calibrate",
        "exam": "E",
        "started": BEGUN,
        "finished": BEGUN + timedelta(seconds=2),
        "os_user": "anna",
        "host": "night",
        "version": "0.1.0",
        "settings": {"tau": 0.2, "theta": "normal:0,1", "prior": None},
        "seed": 2**63 - 1,
        "fingerprint": "f" * 64,
        "start": "5" * 64,
        "rejection": "position",
        "ability": "true",
        "tau": 0.2,
        "history": [{"iter": 1, "max_exp": 0.25}],
        "measures": {"verification": {"max_exposure": 0.2}, "verdict": {"held": True}},
        "outcome": "saved",
        "message": "",
        **changed,
    }
    return RunRecord(**values)


def recorded(store: Store, run: int | None) -> RecordedRun:
    assert run is not None
    found = store.ledger.run(run)
    assert found is not None
    return found


def save(store: Store, k: np.ndarray = K, exam: str = "E") -> RecordedRun:
    outcome = store.save_k(store.load_pool(exam), k, record=record(exam=exam))
    return recorded(store, outcome.run)
