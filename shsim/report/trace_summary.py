"""Traced tests as a person reads them: a line a position, the rejected items at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from shsim.model.item_pool import ItemPool
from shsim.model.trace import TracedTest, TraceResult, TraceStep
from shsim.report.canvas import Canvas
from shsim.report.plain_text import visible_line
from shsim.report.subject import by_rejection, subject


def trace_summary(result: TraceResult, canvas: Canvas, closing: Sequence[str] = ()) -> str:
    """The whole page; `closing` are sentences that only the caller knows."""
    delivery = result.settings.delivery
    parts: list[RenderableType] = [subject(result.pool, delivery, by_rejection(delivery))]
    for test in result.tests:
        parts.extend([Text(), *_test(result.pool, test, canvas.width)])
    parts.append(Text())
    parts.append(Text(_legend(result)))
    parts.extend(Text(visible_line(sentence)) for sentence in closing)
    return canvas.text(Group(*parts))


def _test(pool: ItemPool, test: TracedTest, width: int) -> Iterator[Text]:
    last = test.steps[-1]
    estimate = ""
    if last.right is not None:
        right = sum(step.right is True for step in test.steps)
        estimate = (
            f", estimate {last.theta_hat:.3f} (s.e. {last.standard_error:.3f}),"
            f" {right} of {len(test.steps)} right"
        )
    yield Text(f"Examinee {test.examinee}: theta {test.theta:.3f}{estimate}", style="bold")
    yield Text(
        f"{'':>3}  {'item':<12} {'information':>11} {'answer':>7} {'estimate':>8} {'s.e.':>6}"
        "  rejected before it",
        style="dim",
    )
    for position, step in enumerate(test.steps, start=1):
        yield _step(pool, position, step, width)


def _step(pool: ItemPool, position: int, step: TraceStep, width: int) -> Text:
    answer = estimate = error = ""
    if step.right is not None:
        answer = "right" if step.right else "wrong"
        estimate, error = f"{step.theta_hat:8.3f}", f"{step.standard_error:6.3f}"
    line = Text(f"{position:>3}  {pool.item(step.item):<12} {step.information:11.4f} ")
    line.append(f"{answer:>7}", style="green" if step.right else "red")
    line.append(f" {estimate:>8} {error:>6}  ")
    if step.forced:
        line.append("forced; ", style="yellow")
    line.append(_rejected(pool, step, width - len(line.plain)), style="dim")
    return line


def _rejected(pool: ItemPool, step: TraceStep, room: int) -> str:
    """How many, and as many of them by name as there is room for."""
    count = len(step.rejected)
    if count == 0:
        return "-"
    words = f"{count}:"
    for i, item in enumerate(step.rejected):
        ending = " …" if i < count - 1 else ""
        name = f" {pool.item(item)}"
        if len(words) + len(name) + len(ending) > room:
            return f"{words} …"
        words += name
    return words


def _legend(result: TraceResult) -> str:
    """What the columns mean."""
    if not result.settings.delivery.estimated:
        return (
            "The information is at theta, which ranks the items; nothing is answered."
            f" Seed {result.settings.delivery.seed}."
        )
    return (
        "The information is at the estimate of the line before, which ranks the items; the"
        f" estimate and its standard error are after the answer. Seed"
        f" {result.settings.delivery.seed}."
    )
