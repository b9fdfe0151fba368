"""An audit for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from shsim.model.audit import AuditResult
from shsim.report.audit_data import audit_data, flag_words
from shsim.report.canvas import COLOURS, Canvas, plain_table
from shsim.report.render import Format
from shsim.report.subject import by_rejection, subject

#: Items shown in the table, and named in a sentence; the rest is counted.
_LISTED, _NAMED = 10, 5

#: Characters of the longest word in the column of flags, which lines break between.
_LONGEST_FLAG = len("accepts_more")


def audit_text(
    result: AuditResult, form: Format, stream: TextIO, closing: Sequence[str] = ()
) -> str:
    """An audit for `stream`: data, or the summary as wide and colourful as the stream takes."""
    if form != "table":
        return audit_data(result, form)
    return audit_summary(result, Canvas.of(stream), closing)


def audit_summary(result: AuditResult, canvas: Canvas, closing: Sequence[str] = ()) -> str:
    """The verdict, live and predicted side by side, and the items to look at."""
    delivery = result.settings.delivery
    parts: list[RenderableType] = [
        Text(result.sentence, style=f"bold {COLOURS[result.held]}"),
        Text(),
    ]
    parts += [subject(result.pool, delivery, by_rejection(delivery)), Text()]
    if result.tests.n:
        parts += [_figures(result), Text()]
    listed = _worst(result)
    if listed:
        parts += [_items(result, listed), Text()]
    parts += [Text(sentence) for sentence in (*audit_sentences(result), *closing)]
    return canvas.text(Group(*parts))


def audit_sentences(result: AuditResult) -> list[str]:
    """What the figures rest on, and what was left out of them."""
    return [*_basis(result), *_drift(result), *_acceptance(result), *_left_out(result)]


def _basis(result: AuditResult) -> Iterator[str]:
    tests = result.tests
    began = "" if result.since_run is None else f" (run {result.since_run})"
    yield (
        f"Counted from {result.since:%Y-%m-%d %H:%M}{began} to {result.until:%Y-%m-%d %H:%M} UTC:"
        f" {int(result.attempts.sum()):,} attempts on the exam's items."
    )
    if tests.given or tests.n:
        yield _number_of_tests(result)
    yield (
        f"The prediction is {result.settings.n:,} simulated examinees under the k in force, with"
        f" {_source(result)}."
    )


def _source(result: AuditResult) -> str:
    """Whose settings predict, and what was given in place of theirs."""
    length = result.settings.delivery.length
    given = f" and {length} item{'s' if length > 1 else ''} a test" if result.length_given else ""
    if result.made_by is None or result.made_share is None:
        return f"the default settings{given}"
    of = "" if result.made_by_exam == result.pool.name else f" of {result.made_by_exam}"
    made = "made them"
    if result.made_share < 1:
        made = "made most of them"
    if 2 * result.made_share <= 1:
        made = "made some of them, and none on record more"
    end = "," if given else ""
    return f"the settings of run {result.made_by}{of}, which {made}{end}{given}"


def _number_of_tests(result: AuditResult) -> str:
    """How many tests there were, and what that rests on."""
    tests, own = result.tests, np.flatnonzero(~result.shared)
    subject = f"The number of tests, {tests.n:,},"
    if tests.given and not len(own):
        return f"{subject} is as given."
    former = tests.attempts - int(result.attempts[own].sum())
    of_them = f" ({former:,} of them on versions that no exam publishes now)" if former else ""
    alone = f"on items of this exam alone{of_them}"
    if tests.given:
        made = tests.attempts / tests.n
        return (
            f"{subject} is as given; {made:.2f} attempts a test {alone}, where"
            f" {tests.per_test:.2f} are expected."
        )
    if tests.low != tests.high:
        subject = f"{subject[:-1]} ({tests.low:,} to {tests.high:,}),"
    basis = f"{tests.attempts:,} attempts {alone}, {tests.per_test:.2f} a test"
    most = own[np.argmax(result.attempts[own])]
    made = round(tests.attempts / tests.per_test)
    if made < tests.n == result.attempts[most]:
        return (
            f"{subject} is the least that there can have been: item {result.pool.item(most)} has so"
            f" many attempts, and a test holds it once. {basis}, would be {made:,} tests: they may"
            " have been shorter, or broken off. --tests gives the true number."
        )
    return (
        f"{subject} is an estimate: {basis}. Tests broken off make it too small; --tests gives the"
        " true one."
    )


def _drift(result: AuditResult) -> Iterator[str]:
    up = int(np.count_nonzero(result.live.drift > 0))
    down = int(np.count_nonzero(result.live.drift < 0))
    if up or down:
        yield (
            f"Drift beyond noise: items used more than predicted {up:,}, less {down:,}."
            " The live selector, its examinees or its k are not those of the prediction."
        )
    elif result.held is not None:
        yield "Drift: none; every live rate agrees with the prediction within noise."


def _acceptance(result: AuditResult) -> Iterator[str]:
    proposed = result.proposed
    if proposed is None:
        return
    total, days = int(proposed.proposals.sum()), f"from {proposed.since:%Y-%m-%d} on (UTC days)"
    if not total:
        yield f"Live selectors counted no proposal of the exam's items {days}."
        return
    accepted = int(proposed.attempts[proposed.proposals > 0].sum())
    if accepted > total:
        yield (
            f"Live selectors counted {total:,} proposals {days}, and there were {accepted:,}"
            " attempts on the items proposed: counts are missing."
        )
    else:
        yield (
            f"Live selectors counted {total:,} proposals {days}: {accepted / total:.1%} of them"
            " led to an attempt."
        )
    more = int(np.count_nonzero(proposed.off > 0))
    less = int(np.count_nonzero(proposed.off < 0))
    if more or less:
        yield (
            f"Acceptance off k by more than a tenth beyond noise: above it {more:,} items, below"
            f" {less:,}. The live selector's k are not those in force, or it loses counts."
        )
    else:
        yield "Acceptance: every item's agrees with its k, to a tenth and noise."


def _left_out(result: AuditResult) -> Iterator[str]:
    pool = result.pool
    if result.shared.any():
        named = [pool.item(i) for i in np.flatnonzero(result.shared).tolist()]
        yield (
            f"Left out of the verdict, since other exams publish them too: {_list(named)}."
            " Attempts don't say which exam they were for."
        )
    if result.unpublished:
        named = [f"{question}/{version}" for (question, version), _ in result.unpublished]
        attempts = sum(count for _, count in result.unpublished)
        yield f"Used, and published by no exam: {_list(named)}; {attempts:,} attempts."
    if result.foreign:
        yield f"{result.foreign:,} attempts were on items that only other exams publish."
    if result.later:
        yield f"{result.later:,} attempts are dated in the future and were left out."


def _list(names: Sequence[str]) -> str:
    """How many, and the first few."""
    items = "1 item" if len(names) == 1 else f"{len(names):,} items"
    more = ", ..." if len(names) > _NAMED else ""
    return f"{items} ({', '.join(names[:_NAMED])}{more})"


def _figures(result: AuditResult) -> RenderableType:
    table = plain_table("", "live", "predicted")
    own, tau = ~result.shared, result.settings.tau
    live, predicted = result.live.rate[own], result.predicted[own]
    if len(live):
        table.add_row("largest exposure rate", f"{live.max():.4f}", f"{predicted.max():.4f}")
        table.add_row(
            "items over the cap",
            f"{int((live > tau).sum()):,}",
            f"{int((predicted > tau).sum()):,}",
        )
        table.add_row("  of them beyond noise", f"{int(result.live.over.sum()):,}", "")
        unused = int((result.attempts[own] == 0).sum())
        table.add_row("items never used", f"{unused:,}", f"{int((predicted == 0).sum()):,}")
    return table


def _worst(result: AuditResult) -> list[int]:
    """Flagged items: those over the cap by rate, then by how far they are from the prediction."""
    live = result.live
    marked = live.over | (live.drift != 0)
    if result.proposed is not None:
        marked = marked | (result.proposed.off != 0)
    flagged = np.flatnonzero(marked)
    distance = np.nan_to_num(np.abs(live.rate - result.predicted))
    size = np.where(live.over, live.rate, distance)[flagged]
    order = np.lexsort((-size, ~live.over[flagged]))
    return [int(i) for i in flagged[order].tolist()]


def _items(result: AuditResult, worst: list[int]) -> RenderableType:
    proposed, live = result.proposed, result.live
    # With proposals beside them there is no room for attempts and both bounds.
    of_live = ("attempts", "live", "95 % bounds")
    if proposed is not None:
        of_live = ("proposals", "accepted", "live")
    table = plain_table("item", *of_live, "predicted", "k", "flag")
    for column in table.columns:
        column.no_wrap = True
    flag = table.columns[-1]
    flag.no_wrap, flag.justify, flag.min_width = False, "left", _LONGEST_FLAG
    for i in worst[:_LISTED]:
        rate = _or_none(live.rate[i])
        if proposed is None:
            bounds = f"{live.low[i]:.4f}-{live.high[i]:.4f}"
            cells = [f"{int(result.attempts[i]):,}", rate, bounds]
        else:
            accepted = _or_none(proposed.acceptance[i])
            cells = [f"{int(proposed.proposals[i]):,}", accepted, rate]
        cells += [f"{result.predicted[i]:.4f}", f"{result.pool.k[i]:.4f}"]
        table.add_row(result.pool.item(i), *cells, flag_words(result, i).replace("|", " "))
    if len(worst) <= _LISTED:
        return table
    return Group(table, Text(f"and {len(worst) - _LISTED:,} more"))


def _or_none(rate: float) -> str:
    """A rate, or a dash where there is none."""
    return "-" if np.isnan(rate) else f"{rate:.4f}"
