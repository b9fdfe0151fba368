"""Waiting for an exam that another run has, and the refusal where that takes too long."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from shsim.errors import ExamBusyError

#: Seconds between two looks at a lock that another run holds: the least, and the most.
_BETWEEN = (0.1, 0.5)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many seconds to wait for another run's end, and how to say for whose.

    `tell` is called once a holder, from the thread that waits.
    """

    seconds: float
    tell: Callable[[str], None]


def take_exam(
    exam: str, label: str, take: Callable[[], str | None], patience: Patience | None
) -> None:
    """Take an exam's lock, now or when its holder has ended.

    Nothing is held meanwhile, no transaction either, and Ctrl-C ends it at once. Several
    that wait come in no order.

    Parameters
    ----------
    exam, label
        The exam, in the database that people call so.
    take
        Tries once: None where the lock is ours, else who holds it ("by ...").
    patience
        None where nobody can be asked to wait.

    Raises
    ------
    ExamBusyError
        It is held all the while, and by whom.
    """
    begun = time.monotonic()
    told: str | None = None
    while (holder := take()) is not None:
        waited = time.monotonic() - begun
        if patience is None or waited >= patience.seconds:
            raise ExamBusyError(exam, label, holder, None if patience is None else patience.seconds)
        left = patience.seconds - waited
        if holder != told:
            patience.tell(f"{exam} is held {holder}: waiting up to {left:.0f} s for its end")
            told = holder
        # Those that wait together must not look together.
        time.sleep(min(random.uniform(*_BETWEEN), left))  # noqa: S311  no secret
    if told is not None and patience is not None:
        patience.tell(f"{exam} is free, after {time.monotonic() - begun:.0f} s of waiting")
