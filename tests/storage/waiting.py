"""Waiting for what another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from storage.databases import query


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another process or thread; the test fails if it never gets there."""
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("what was waited for never happened")


def waiting(dsn: str, application: str) -> bool:
    """Whether a session of that name waits for a row lock."""
    return bool(
        query(
            dsn,
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"  # noqa: S608
            f" AND application_name = '{application}' AND datname = current_database()",
        )
    )
