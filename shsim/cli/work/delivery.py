"""From options to the settings of the simulated test."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from shsim.cli.progress import Narrator
from shsim.cli.work.problems import Problems
from shsim.cli.work.sources import PoolRequest
from shsim.model.ability import AbilityDistribution
from shsim.model.delivery import WITH_PRIOR, Ability, DeliverySettings, Rejection
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

    def chosen(self, *names: str) -> Mapping[str, Any]:
        """The options among `names` that have a value."""
        return {name: value for name in names if (value := getattr(self, name)) is not None}


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

    @property
    def one_pass(self) -> bool:
        """Whether the test is one of those that expected exposure can be computed for."""
        return self.ability in (None, "true") and self.blueprint is None

    def delivery(self, problems: Problems) -> DeliverySettings:
        """The settings of the test; a seed that was left out is drawn.

        What cannot be read goes to `problems`, and something harmless stands in for it.
        """
        its = self.settled()
        for problem in its.ignored():
            problems.add(problem)
        theta = problems.without(its.read_theta)
        prior = blueprint = None
        if its.prior is not None:
            spelling = its.prior
            prior = problems.without(lambda: read_ability(spelling, "prior"))
        if its.blueprint is not None:
            path = its.blueprint
            blueprint = problems.without(lambda: read_blueprint(path))
        chosen = dict(its.chosen("ability", "rejection", "scale", "start", "se_stop", "min_len"))
        if (longest := its.length if its.se_stop is None else its.max_len) is not None:
            chosen["length"] = longest
        return DeliverySettings(
            theta=theta or STAND_IN,
            seed=secrets.randbelow(2**63) if self.seed is None else self.seed,
            prior=prior,
            blueprint=blueprint,
            **chosen,
        )

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

    def ignored(self) -> Iterator[str]:
        """Options that the test asked for would ignore."""
        if self.se_stop is not None and self.length is not None:
            yield (
                "--len fixes the length of a test and --se-stop ends it by its error."
                " Give one of them; with --se-stop the most items are --max-len."
            )
        if self.se_stop is None:
            for name, value in (("--min-len", self.min_len), ("--max-len", self.max_len)):
                if value is not None:
                    yield f"{name} is for tests that --se-stop ends. Give that, or --len instead."
        if self.ability in (None, "true"):
            for name, given in (("--start", self.start), ("--prior", self.prior)):
                if given is not None:
                    yield f"{name} is about an estimate, and --ability true has none. Leave it out."
        elif self.prior is not None and self.ability not in WITH_PRIOR:
            yield f"--ability {self.ability} has no prior. Leave --prior out, or take eap or map."

    def say_seed(self, delivery: DeliverySettings, narrator: Narrator) -> None:
        """Say which seed was drawn, without which nobody could repeat the run."""
        if self.seed is None:
            narrator.note(f"seed {delivery.seed} (--seed {delivery.seed} repeats this run)")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest(TestRequest):
    """Options that `calibrate` and `simulate` share."""

    tau: float | None
    dry_run: bool
    threads: int | None
