"""What every computation asks of its settings and its pool before it starts."""

from __future__ import annotations

from shsim.errors import DataError
from shsim.model.item_pool import ItemPool
from shsim.model.settings import Settings


def require_sound(settings: Settings, pool: ItemPool) -> None:
    """Refuse what cannot be computed.

    The front doors have asked before (`shsim.workflow.run.load_checked`), with everything
    else that may be wrong; a program that calls us has not.

    Raises
    ------
    DataError
        Every problem of the settings; if there is none, of the settings with the pool.
    """
    problems = list(settings.problems()) or list(settings.problems_with(pool))
    if getattr(settings, "method", "") == "exact" and not settings.delivery.one_pass:
        problems.append("--method exact takes --ability true and no --blueprint. Give another.")
    if problems:
        raise DataError(problems)
