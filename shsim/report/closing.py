"""What is said last of a run: what was saved, and under which number it is on record."""

from __future__ import annotations


def saved_sentences(label: str, changed: int, unchanged: int, run: int | None) -> list[str]:
    """Of a calibration whose k were saved.

    Parameters
    ----------
    label
        The database as people name it.
    changed, unchanged
        Rows of k that the save changed, and that stood so already.
    run
        Its number in the ledger, None where it has none.
    """
    sentences = [f"Saved to {label}: {changed:,} k changed, {unchanged:,} stood so already."]
    if run is not None:
        sentences.append(f"Recorded as run {run}; shsim rollback {run} puts the k before it back.")
    return sentences


def recorded_sentences(run: int | None) -> list[str]:
    """Of a run that changes no k."""
    return [] if run is None else [f"Recorded as run {run}; it changed no k."]


#: Of a calibration that was to save nothing.
DRY_RUN = "Nothing was saved: a dry run."
