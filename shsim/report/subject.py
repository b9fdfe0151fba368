"""The line that says what a page is about: the exam, the test, who takes it."""

from __future__ import annotations

from rich.text import Text

from shsim.model.ability import number
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import ItemPool
from shsim.report.plain_text import visible_line


def subject(
    pool: ItemPool, delivery: DeliverySettings, manner: str = "", lengths: str | None = None
) -> Text:
    """The pool in bold, then items, length, theta, ranking, stopping, content, and `manner`.

    `manner` is how exposure is controlled; `lengths` stands for the length where a page shows
    several.
    """
    words = [
        f"{len(pool):,} items",
        f"{lengths or _length(delivery)} a test",
        f"theta {delivery.theta.spelling}",
    ]
    if delivery.estimated:
        stops = "" if delivery.se_stop is None else f" to an error of {number(delivery.se_stop)}"
        words.append(f"ranked by {delivery.ability.upper()}{stops}")
    if delivery.start is not None:
        words.append(f"from {number(delivery.start)}")
    if delivery.prior is not None:
        words.append(f"prior {delivery.prior.spelling}")
    if delivery.blueprint is not None:
        words.append(f"content by {delivery.blueprint.spelling}")
    if manner:
        words.append(manner)
    words.append(f"scale {number(delivery.scale)}")
    return Text.assemble((visible_line(pool.name), "bold"), visible_line(f": {', '.join(words)}"))


def by_rejection(delivery: DeliverySettings) -> str:
    """How Sympson-Hetter control is told."""
    return f"rejection by {delivery.rejection}"


def _length(delivery: DeliverySettings) -> str:
    """The items of a test, a range where the standard error ends it."""
    if delivery.se_stop is None:
        return f"{delivery.length}"
    return f"{delivery.shortest} to {delivery.length}"
