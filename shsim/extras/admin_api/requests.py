"""What requests that compute may say, and the settings that they come to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from shsim.errors import DataError
from shsim.extras.admin_api.fields import (
    Bound,
    ControlName,
    Distribution,
    ExamCode,
    Examinees,
    Flag,
    Iterations,
    Length,
    Nodes,
    Positive,
    Scale,
    Seed,
    Share,
    StandardError,
    Step,
    Theta,
    Topic,
)
from shsim.extras.admin_api.permitted import over, over_in_all
from shsim.extras.admin_api.problems import contradiction
from shsim.extras.admin_api.settings import Limits
from shsim.model.ability import AbilityDistribution
from shsim.model.blueprint import Blueprint
from shsim.model.comparison import DEFAULT_COMPARE_N
from shsim.model.control import Control
from shsim.model.delivery import Ability, DeliverySettings, Rejection
from shsim.model.methods import Estimator, Method
from shsim.model.options import (
    Options,
    delivery_of,
    given,
    ignored_by_calibration,
    ignored_by_simulation,
    ignored_by_test,
)
from shsim.model.settings import CalibrationSettings, Settings, SimulationSettings
from shsim.model.sweep_settings import SweepSettings
from shsim.storage.blueprint_file import blueprint_of

#: Where it stands in problems of the test.
_BLUEPRINT = "blueprint"


class TopicBounds(BaseModel):
    """The least and the most items of a topic in every test."""

    model_config = ConfigDict(extra="forbid")

    least: Bound = 0
    most: Bound | None = None


Topics = Annotated[
    dict[Topic, TopicBounds], Field(min_length=1, json_schema_extra={"additionalProperties": False})
]


class ComputingRequest(BaseModel):
    """What every request has that simulates a test. A file of the server has no name here."""

    model_config = ConfigDict(extra="forbid")

    exam_code: ExamCode
    theta_dist: Distribution = Field(
        "normal0,1", description="True ability: `normal:MU,SD`, `uniform:LO,HI` or `fixed:X`."
    )
    rejection: Rejection = Field(
        "position", description="What a rejected item does; must be what the live selector does."
    )
    scale: Scale = Field(1.7, description="Scaling constant D of the 3PL.")

    def options(self) -> dict[str, Any]:
        """What was given, by the names that settings have."""
        found = self.model_dump(exclude_none=True)
        found["theta"] = found.pop("theta_dist")
        return found


class TestRequest(ComputingRequest):
    """What requests have that simulate examinees."""

    __test__ = False

    tau: Positive = Field(0.2, description="The cap: largest exposure rate wanted.")
    test_len: Length = Field(25, description="Items a test; not with `se_stop`.")
    ability: Ability = Field("true", description="The ability that ranks the items.")
    seed: Seed | None = Field(None, description="Left out, one is drawn; the answer names it.")
    start: Theta | None = Field(None, description="The first estimate: the mean of theta_dist.")
    prior: Distribution | None = Field(None, description="Of eap and map: theta_dist.")
    se_stop: StandardError | None = Field(None, description="End a test at this standard error.")
    min_len: Length | None = None
    max_len: Length | None = Field(None, description="The most items, with `se_stop`: 30.")
    blueprint: Topics | None = Field(
        None,
        description="The least and the most items by topic; `none`: those without one.",
        examples=[{"10": {"least": 5, "most": 8}, "none": {"most": 2}}],
    )
    tol: Positive = Field(0.01, description="Relative excess over tau that counts as none.")
    dry_run: Flag = False

    def options(self) -> dict[str, Any]:
        """As above; the length is left out where the test has another end, and none was sent."""
        found = super().options()
        length = found.pop("test_len")
        if self.se_stop is None or "test_len" in self.model_fields_set:
            found["length"] = length
        return found


class CalibrationRequest(TestRequest):
    """A calibration. What is left out of n, iters, alpha and decay is the method's own."""

    method: Method = "classical"
    n: Examinees | None = Field(None, description="Simulated examinees an iteration.")
    iters: Iterations | None = Field(None, description="The most iterations.")
    alpha: Step | None = Field(None, description="First step.")
    decay: Share | None = Field(None, description="How fast steps shrink.")
    floor: Share | None = Field(None, description="Smallest k: 0.001.")
    ceil: Positive = Field(1.0, description="Largest k.")
    target: Positive | None = Field(None, description="Aim at this share of tau: 0.995.")
    restart: Flag = Field(default=False, description="Start from k = 1, not the k in force.")
    verify_n: Examinees | None = Field(None, description="Fresh examinees to judge by.")
    nodes: Nodes | None = Field(None, description="Quadrature nodes of theta: 8000.")
    explain: Flag = Field(default=False, description="Say what the cap costs in any case.")
    require_cap: Flag = Field(default=False, description="Save nothing if the cap is not held.")
    force: Flag = Field(default=False, description="Save even if the pool changed meanwhile.")

    @property
    def of_the_first_script(self) -> bool:
        """Whether it is spelled as when there was one method."""
        sent = self.model_fields_set
        return {"iters", "alpha"} <= sent and "method" not in sent

    def settings(self, limits: Limits) -> CalibrationSettings:
        """The settings of the run.

        Raises
        ------
        Problem
            Everything that is wrong with them, beyond what the schema says of each.
        """
        options, problems = self.options(), _Problems()
        delivery = problems.delivery(options)
        chosen = given(
            options, "tau", "method", "n", "iters", "alpha", "decay", "floor", "ceil", "target",
            "tol", "restart", "verify_n", "nodes",
        )  # fmt: skip
        settings = CalibrationSettings.make(delivery, **chosen)
        problems.extend(ignored_by_calibration(options))
        asked = {"n": settings.n, "iters": settings.iters, "nodes": settings.nodes}
        problems.extend(over(limits, **asked, verify_n=settings.verify_n))
        problems.extend(over_in_all(limits, settings))
        problems.end_here(settings)
        return settings


class SimulationRequest(TestRequest):
    """A simulation of the k in force, or of another control, or of several."""

    method: Estimator = "sampled"
    n: Examinees | None = Field(
        None, description="Simulated examinees: 200,000; to compare, 20,000."
    )
    nodes: Nodes | None = Field(None, description="Of `exact`: quadrature nodes of theta: 8000.")
    control: ControlName | None = Field(
        None, description="`sh`, `none`, `randomesque:K`, `progressive`, `restricted` or so."
    )
    compare: Annotated[list[ControlName], Field(min_length=1, max_length=20)] | None = Field(
        None, description="Several of these, side by side.", examples=[["sh", "restricted"]]
    )

    def settings(self, limits: Limits) -> tuple[SimulationSettings, tuple[Control, ...]]:
        """The settings of the run, and what is compared; errors as for calibrations."""
        options, problems = self.options(), _Problems()
        delivery = problems.delivery(options)
        several = problems.controls(options.pop("compare", ()))
        if self.control is not None:
            for one in problems.controls((self.control,)):
                options["control"] = one
        if several and self.control is not None:
            problems.extend(["compare shows several controls, and control one. Give either."])
        if several and self.method == "exact":
            problems.extend(["compare simulates examinees: leave method exact out."])
        problems.extend(ignored_by_simulation(options))
        if several:
            options.setdefault("n", DEFAULT_COMPARE_N)
        settings = SimulationSettings(
            delivery=delivery,
            **given({**options, "control": options.get("control")},
                    "tau", "n", "tol", "method", "nodes", "control"),
        )  # fmt: skip
        looked_at = {"nodes": settings.nodes} if settings.method == "exact" else {}
        problems.extend(over(limits, n=settings.n, **looked_at))
        problems.extend(over_in_all(limits, settings, len(several)))
        problems.end_here(settings)
        return settings, several


class SweepRequest(ComputingRequest):
    """What each of several caps, or lengths, costs in information; nothing is saved."""

    tau: Annotated[list[Positive], Field(min_length=1, max_length=1000, examples=[[0.1, 0.15]])]
    test_len: Annotated[list[Length], Field(min_length=1, max_length=1000, examples=[[20, 30]])] = [
        25
    ]
    floor: Share | None = Field(None, description="Smallest k: 0.001.")
    ceil: Positive = Field(1.0, description="Largest k.")
    iters: Iterations | None = Field(None, description="The most iterations a point: 200.")
    tol: Positive = 0.01
    nodes: Nodes | None = Field(None, description="Quadrature nodes of theta: 8000.")

    def settings(self, limits: Limits) -> SweepSettings:
        """The settings of the run; errors as for calibrations."""
        options, problems = self.options(), _Problems()
        # Nothing is drawn, so any seed will do.
        delivery = problems.delivery({**options, "seed": 0, "length": None})
        settings = SweepSettings(
            delivery=delivery,
            taus=tuple(dict.fromkeys(self.tau)),
            lengths=tuple(dict.fromkeys(self.test_len)),
            **given(options, "floor", "ceil", "iters", "tol", "nodes"),
        )
        asked = {"iters": settings.iters, "nodes": settings.nodes}
        problems.extend(over(limits, points=len(settings.points), **asked))
        problems.extend(over_in_all(limits, settings))
        problems.end_here(settings)
        return settings


class _Problems:
    """Everything that is wrong with a request."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def extend(self, sentences: Iterator[str] | list[str]) -> None:
        self._found.extend(sentences)

    def delivery(self, options: Options) -> DeliverySettings:
        """The test; what cannot be read has something harmless in its place."""
        self.extend(ignored_by_test(options))
        theta = self._ability(options["theta"], "theta_dist")
        prior = options.get("prior")
        return delivery_of(
            options,
            theta or AbilityDistribution.normal(0, 1),
            None if prior is None else self._ability(prior, "prior"),
            self._blueprint(options.get("blueprint")),
        )

    def controls(self, spellings: Any) -> tuple[Control, ...]:
        """Controls that can be read, each once."""
        found = []
        for spelling in spellings:
            try:
                found.append(Control.parse(spelling))
            except DataError as error:
                self.extend(list(error.problems))
        return tuple(dict.fromkeys(found))

    def end_here(self, settings: Settings) -> None:
        """Go on if nothing is wrong.

        Raises
        ------
        Problem
            Something is.
        """
        self.extend(settings.problems())
        if self._found:
            raise contradiction(DataError(list(dict.fromkeys(self._found))))

    def _ability(self, spelling: str, field: str) -> AbilityDistribution | None:
        try:
            return AbilityDistribution.parse(spelling, field)
        except DataError as error:
            self.extend(list(error.problems))
            return None

    def _blueprint(self, topics: Any) -> Blueprint | None:
        if topics is None:
            return None
        try:
            return blueprint_of({"topics": topics}, _BLUEPRINT)
        except DataError as error:
            self.extend(list(error.problems))
            return None
