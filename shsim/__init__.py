"""Sympson-Hetter exposure control for computerized adaptive tests.

The names in `__all__` are loaded on first use, so that importing the package, and the
command line's help with it, costs nothing.
"""

from __future__ import annotations

#: As in `typing`, whose import takes longer than all the rest of this: type checkers know the name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from shsim.model.ability import AbilityDistribution
    from shsim.model.blueprint import Blueprint, TopicRule
    from shsim.model.control import Control
    from shsim.model.delivery import DeliverySettings
    from shsim.model.item_pool import ItemPool
    from shsim.model.settings import CalibrationSettings, SimulationSettings
    from shsim.storage.csv_file import read_pool
    from shsim.storage.open import open_store
    from shsim.workflow.calibrate import calibrate
    from shsim.workflow.compare import compare
    from shsim.workflow.selector import Selector
    from shsim.workflow.simulate import simulate

__version__ = "0.1.0"

__all__ = [
    "AbilityDistribution",
    "Blueprint",
    "CalibrationSettings",
    "Control",
    "DeliverySettings",
    "ItemPool",
    "Selector",
    "SimulationSettings",
    "TopicRule",
    "__version__",
    "calibrate",
    "compare",
    "open_store",
    "read_pool",
    "simulate",
]

_PLACES = {
    "AbilityDistribution": "shsim.model.ability",
    "Blueprint": "shsim.model.blueprint",
    "CalibrationSettings": "shsim.model.settings",
    "Control": "shsim.model.control",
    "DeliverySettings": "shsim.model.delivery",
    "ItemPool": "shsim.model.item_pool",
    "Selector": "shsim.workflow.selector",
    "SimulationSettings": "shsim.model.settings",
    "TopicRule": "shsim.model.blueprint",
    "calibrate": "shsim.workflow.calibrate",
    "compare": "shsim.workflow.compare",
    "open_store": "shsim.storage.open",
    "read_pool": "shsim.storage.csv_file",
    "simulate": "shsim.workflow.simulate",
}


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_PLACES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
