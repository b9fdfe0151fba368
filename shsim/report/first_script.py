"""What whoever types the first script's options is told: its method is not the default now."""

from __future__ import annotations

from shsim.model.ability import number


def first_script_sentence(
    n: int | None, iters: int | None, alpha: float | None, floor: float | None
) -> str:
    """How to have the first script's run, with the options that were given (None: not)."""
    return (
        "the method is classical now; the first script's run is --method damped"
        f" --n {n or 500} --iters {iters} --alpha {number(alpha or 0.6)}"
        f" --decay 0 --floor {number(0.02 if floor is None else floor)}"
    )
