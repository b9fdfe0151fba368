"""From options to the settings of the simulated test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from shsim.cli.progress import Narrator
from shsim.cli.work.problems import Problems
from shsim.cli.work.sources import PoolRequest
from shsim.model.ability import AbilityDistribution
from shsim.model.delivery import Ability, DeliverySettings, Rejection
from shsim.model.options import Options, delivery_of, given, ignored_by_test
from shsim.report.render import Format
from shsim.storage.ability_file import read_ability
from shsim.storage.blueprint_file import read_blueprint

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

    def read_theta(self) -> AbilityDistribution:
        """The distribution of ability, from the option or the file that it names."""
        return read_ability(self.theta)

    @property
    def options(self) -> Options:
        """Every option by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def chosen(self, *names: str) -> Mapping[str, Any]:
        """The options among `names` that have a value."""
        return given(self.options, *names)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestRequest(DeliveryRequest):
    """Options of the commands that simulate examinees."""

    length: int | None
    seed: int | None
    start: float | None
    prior: str | None
    se_stop: float | None
    min_len: int | None
    max_len: int | None
    blueprint: str | None

    def delivery(self, problems: Problems) -> DeliverySettings:
        """The settings of the test; a seed that was left out is drawn.

        What cannot be read goes to `problems`, and something harmless stands in for it.
        """
        its = self.settled()
        for problem in ignored_by_test(its.options):
            problems.add(problem)
        theta = problems.without(its.read_theta)
        prior = blueprint = None
        if its.prior is not None:
            spelling = its.prior
            prior = problems.without(lambda: read_ability(spelling, "prior"))
        if its.blueprint is not None:
            path = its.blueprint
            blueprint = problems.without(lambda: read_blueprint(path))
        return delivery_of(its.options, theta or STAND_IN, prior, blueprint)

    def settled(self) -> Self:
        """The same without what was set elsewhere and excludes what was typed."""
        stopping = ("se_stop", "min_len", "max_len")
        outdone: tuple[str, ...] = ()
        if "length" in self.typed:
            outdone += stopping
        if "se_stop" in self.typed:
            outdone += ("length",)
        if "ability" in self.typed and self.ability == "true":
            outdone += ("start", "prior", *stopping)
        dropped: dict[str, Any] = {name: None for name in outdone if name not in self.typed}
        return replace(self, **dropped)

    def say_seed(
        self, delivery: DeliverySettings, narrator: Narrator, *, moves_start: bool = False
    ) -> None:
        """Say which seed was drawn, without which nobody could repeat the run.

        Parameters
        ----------
        moves_start
            Whether the run saves other k in place of those that it starts from.
        """
        if self.seed is None:
            start = " from the same k" if moves_start else ""
            narrator.note_of_work(
                f"seed {delivery.seed} (--seed {delivery.seed} repeats this run{start})"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest(TestRequest):
    """Options that `calibrate` and `simulate` share."""

    tau: float | None
    dry_run: bool
    threads: int | None
