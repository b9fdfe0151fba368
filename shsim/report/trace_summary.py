"""Traced tests as a person reads them: a line a position, the rejected items at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from shsim.model.item_pool import NO_TOPIC, ItemPool
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
    estimated = last.right is not None
    columns = f"{'answer':>7} {'estimate':>8} {'s.e.':>6}  " if estimated else " "
    head = f"{'':>3}  {'item':<12} {'topic':>5} {'info.':>7} {columns}rejected before it"
    yield Text(head[:width], style="dim")
    if estimated:
        start = f"{test.steps[0].ranked_at:8.3f}"
        yield Text(f"{0:>3}  {'(start)':<12} {'':>5} {'':>7} {'':>7} {start}", style="dim")
    for position, step in enumerate(test.steps, start=1):
        yield _step(pool, position, step, width)


def _step(pool: ItemPool, position: int, step: TraceStep, width: int) -> Text:
    topic = int(pool.topic_id[step.item])
    named = "-" if topic == NO_TOPIC else str(topic)
    line = Text(f"{position:>3}  {pool.item(step.item):<12} {named:>5} {step.information:7.4f} ")
    if step.right is not None:
        answer, style = ("right", "green") if step.right else ("wrong", "red")
        line.append(f"{answer:>7}", style=style)
        line.append(f" {step.theta_hat:8.3f} {step.standard_error:6.3f} ")
    line.append(" ")
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
