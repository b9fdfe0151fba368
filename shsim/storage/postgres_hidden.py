"""Rows of k that are there, and that this user is not shown: a save meets them each time."""

from __future__ import annotations

from typing import Any

from shsim.storage.statements import statements

_SQL = statements("postgres")

_SEEN = (
    "has rows of item_exposure_control that this user is not shown, and that are in the way:"
    " {why}. Nothing was written. {remedy}, or take another user."
)


def hiding_words(cursor: Any) -> str | None:
    """What may hide rows of k from this user, and whom to ask; None where nothing does."""
    cursor.execute(_SQL["hidden_rows"])
    row = cursor.fetchone()
    by_policy, is_view = row or (False, False)
    if by_policy:
        return _SEEN.format(
            why="row-level security is active there",
            remedy="Ask for a policy that shows them to it",
        )
    if is_view:
        return _SEEN.format(
            why="it is a view that leaves rows out",
            remedy="Have the view show them, put the table's own schema first in search_path",
        )
    return None
