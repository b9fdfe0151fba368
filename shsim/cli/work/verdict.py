"""The verdict and the run's number, told to a program that reads the log."""

from __future__ import annotations

from collections.abc import Sequence

from shsim.cli.log_lines import Level
from shsim.cli.progress import Narrator
from shsim.model.audit import AuditResult
from shsim.model.results import Measures, Verdict


def tell_verdict(narrator: Narrator, verdict: Verdict, measures: Measures) -> None:
    """Whether the cap is held; that it is not passes `--quiet`, as the warning does."""
    sentence = f"{verdict.sentence} {verdict.remedy or ''}".strip()
    _tell(
        narrator, sentence,
        held=verdict.held, tau=measures.tau, max_exposure=measures.max_exposure,
    )  # fmt: skip


def tell_live_verdict(narrator: Narrator, result: AuditResult) -> None:
    """The same of live tests; where no item can be judged there is no largest exposure."""
    _tell(
        narrator, result.sentence,
        held=result.held, tau=result.settings.tau, max_exposure=result.live.largest,
    )  # fmt: skip


def _tell(narrator: Narrator, sentence: str, *, held: bool | None, **figures: float | None) -> None:
    level: Level = "info" if held else "warning"
    narrator.milestone("verdict", sentence, level=level, held=held, **figures)


def tell_record(narrator: Narrator, run: int | None, closing: Sequence[str]) -> None:
    """A run that changed no k and has a number in the ledger; `closing` begins with the words."""
    if run is not None:
        narrator.milestone("recorded", closing[0], run=run)
