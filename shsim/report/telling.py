"""What is said where too few examinees tell whether a cap is held, and how many would."""

from __future__ import annotations

from shsim.report.exposure import cap_held, critical_among, visible_excess

#: As many examinees as an option takes.
_MOST = 10**9


def too_few(examinees: int) -> str:
    """That so many tell nothing of a cap."""
    who = "1 examinee is" if examinees == 1 else f"{examinees:,} examinees are"
    return f"{who} too few to show an excess"


def give_more(
    option: str, default: int, examinees: int, size: int, limit: tuple[float, float]
) -> str:
    """What to type: the option's default, or more where that would not tell either.

    Parameters
    ----------
    option, default
        That says how many examinees there are, and how many it gives by itself.
    examinees, size
        How many there were, and how many items.
    limit
        tau, and the relative excess over it that counts as none.
    """
    n = default if examinees < default else 10 * examinees
    while n < _MOST and not _tells(n, size, limit):
        n *= 10
    return f"Give more: {option} {min(n, _MOST)}"


def _tells(n: int, size: int, limit: tuple[float, float]) -> bool:
    excess = visible_excess(n, limit[0], critical_among(n, size, limit))
    return cap_held(0, limit, excess) is not None
