"""From options to the settings of the simulated test."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shsim.cli.progress import Narrator
from shsim.cli.work.sources import PoolRequest
from shsim.model.ability import AbilityDistribution
from shsim.model.delivery import Ability, DeliverySettings, Rejection
from shsim.report.render import Format
from shsim.storage.ability_file import read_ability

#: Taken for a theta that cannot be read, so that the rest can be checked too.
STAND_IN = AbilityDistribution.normal(0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRequest(PoolRequest):
    """Options of every command that computes; None: the default of the model."""

    theta: str
    ability: Ability | None
    rejection: Rejection | None
    scale: float | None
    form: Format
    output: str | None
    threads: int | None

    def read_theta(self) -> AbilityDistribution:
        """The distribution of ability, from the option or the file that it names."""
        return read_ability(self.theta)

    def chosen(self, *names: str) -> Mapping[str, Any]:
        """The options among `names` that have a value."""
        return {name: value for name in names if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest(DeliveryRequest):
    """Options that `calibrate` and `simulate` share."""

    tau: float | None
    length: int | None
    seed: int | None
    dry_run: bool

    def delivery(self, theta: AbilityDistribution) -> DeliverySettings:
        """The settings of the test; a seed that was left out is drawn."""
        seed = secrets.randbelow(2**63) if self.seed is None else self.seed
        chosen = self.chosen("length", "ability", "rejection", "scale")
        return DeliverySettings(theta=theta, seed=seed, **chosen)

    def say_seed(self, delivery: DeliverySettings, narrator: Narrator) -> None:
        """Say which seed was drawn, without which nobody could repeat the run."""
        if self.seed is None:
            narrator.note(f"seed {delivery.seed} (--seed {delivery.seed} repeats this run)")
