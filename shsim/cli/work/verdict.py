"""The verdict and the run's number, told to a program that reads the log."""

from __future__ import annotations

from collections.abc import Sequence

from shsim.cli.progress import Narrator
from shsim.model.results import Measures, Verdict


def tell_verdict(narrator: Narrator, verdict: Verdict, measures: Measures) -> None:
    """Whether the cap is held; that it is not passes `--quiet`, as the warning does."""
    narrator.milestone(
        "verdict",
        f"{verdict.sentence} {verdict.remedy or ''}".strip(),
        level="info" if verdict.held else "warning",
        held=verdict.held,
        tau=measures.tau,
        max_exposure=measures.max_exposure,
    )


def tell_record(narrator: Narrator, run: int | None, closing: Sequence[str]) -> None:
    """A run that changed no k and has a number in the ledger; `closing` begins with the words."""
    if run is not None:
        narrator.milestone("recorded", closing[0], run=run)
