"""Options as the front doors have them: which a run would ignore, and the test they describe.

An option is called as its setting is; None, or its absence, says that it was not given.
The command line's own names for two of them are `max_len` (the length with `se_stop`) and
`explain`.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from shsim.model.ability import AbilityDistribution
from shsim.model.blueprint import Blueprint
from shsim.model.delivery import WITH_PRIOR, DeliverySettings
from shsim.model.methods import IGNORED_BY_EXACT

Options = Mapping[str, Any]


def one_pass(options: Options) -> bool:
    """Whether the test is one of those that expected exposure can be computed for."""
    return options.get("ability") in (None, "true") and options.get("blueprint") is None


def ignored_by_test(options: Options) -> Iterator[str]:
    """Options that the test asked for would ignore, a sentence each."""
    stops, ability = options.get("se_stop") is not None, options.get("ability")
    if stops and options.get("length") is not None:
        yield (
            "--len fixes the length of a test and --se-stop ends it by its error."
            " Give one of them; with --se-stop the most items are --max-len."
        )
    if not stops:
        for name in ("min_len", "max_len"):
            if options.get(name) is not None:
                yield (
                    f"--{name.replace('_', '-')} is for tests that --se-stop ends."
                    " Give that, or --len instead."
                )
    if ability in (None, "true"):
        for name in ("start", "prior"):
            if options.get(name) is not None:
                yield f"--{name} is about an estimate, and --ability true has none. Leave it out."
    elif options.get("prior") is not None and ability not in WITH_PRIOR:
        yield f"--ability {ability} has no prior. Leave --prior out, or take eap or map."


def ignored_by_calibration(options: Options) -> Iterator[str]:
    """Options that the method asked for would ignore, or cannot do with this test."""
    if options.get("force") and options.get("dry_run"):
        yield "--force saves and --dry-run does not. Give one of them."
    exact = options.get("method") == "exact"
    if exact:
        ignored = [name for name in IGNORED_BY_EXACT if options.get(name) is not None]
        if ignored:
            named = ", ".join(f"--{name}" for name in ignored)
            yield (
                f"--method exact draws no examinees and takes whole steps: it would ignore"
                f" {named}. Leave that out, or choose another method."
            )
    if not one_pass(options) and (exact or options.get("explain")):
        option = "--method exact" if exact else "--explain"
        yield (
            f"{option} computes expected exposure in closed form, which takes --ability true and"
            f" no --blueprint. Leave {option} out: examinees are simulated then."
        )


def ignored_by_simulation(options: Options) -> Iterator[str]:
    """Options that the way of finding exposure would ignore, or cannot do with this test."""
    exact, control = options.get("method") == "exact", options.get("control")
    if exact and control is not None and not control.by_acceptance:
        yield (
            f"--method exact takes --control none or sh; {control.spelling} must be sampled."
            " Leave --method out."
        )
    if exact and options.get("n") is not None:
        yield "--method exact draws no examinees: leave --n out, or sample."
    if exact and not one_pass(options):
        yield (
            "--method exact computes expected exposure in closed form, which takes --ability true"
            " and no --blueprint. Leave it out: examinees are simulated then."
        )
    if not exact and options.get("nodes") is not None:
        yield "--nodes is for --method exact. Leave it out, or add that."


def given(options: Options, *names: str) -> dict[str, Any]:
    """The options among `names` that have a value."""
    return {name: value for name in names if (value := options.get(name)) is not None}


def delivery_of(
    options: Options,
    theta: AbilityDistribution,
    prior: AbilityDistribution | None = None,
    blueprint: Blueprint | None = None,
) -> DeliverySettings:
    """The settings of the test; a seed that was left out is drawn.

    Parameters
    ----------
    options
        Of which `theta`, `prior` and `blueprint` are spellings or names of files.
    theta, prior, blueprint
        What they stand for.
    """
    chosen = given(options, "ability", "rejection", "scale", "start", "se_stop", "min_len")
    longest = options.get("length" if options.get("se_stop") is None else "max_len")
    if longest is not None:
        chosen["length"] = longest
    seed = options.get("seed")
    return DeliverySettings(
        theta=theta,
        seed=secrets.randbelow(2**63) if seed is None else seed,
        prior=prior,
        blueprint=blueprint,
        **chosen,
    )
