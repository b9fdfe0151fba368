"""Several controls on the same examinees."""

from __future__ import annotations

from dataclasses import dataclass

from shsim.model.control import Control
from shsim.model.item_pool import ItemPool
from shsim.model.results import Measures, Uncontrolled
from shsim.model.settings import SimulationSettings

#: Simulated examinees of a comparison when `--n` is not given.
DEFAULT_COMPARE_N = 20_000


@dataclass(frozen=True, slots=True)
class Compared:
    """What one control did; `measures.uncontrolled` is None, being the same for all."""

    control: Control
    measures: Measures


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonResult:
    """Several controls, in the order in which they were asked for.

    `settings.control` has no meaning here. `uncontrolled` is the test of the same
    examinees without control, which information kept is relative to. `run` is its number
    in the ledger, None where it has none. `judge` says how to judge the k in force in the
    test that they were made for, where that is another one.
    """

    pool: ItemPool
    settings: SimulationSettings
    compared: tuple[Compared, ...]
    uncontrolled: Uncontrolled
    seconds: float
    run: int | None = None
    judge: str | None = None
