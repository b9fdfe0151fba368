"""How ability was estimated, and what control costs in it, in words."""

from __future__ import annotations

import math

from shsim.model.ability import number
from shsim.model.delivery import has_spread
from shsim.model.results import Accuracy, CalibrationResult, Lengths, Measures

#: Within this factor of the cap a table made at the true theta holds in an EAP test too.
_NO_WORSE = 1.02


def lengths_sentence(lengths: Lengths, measures: Measures) -> str:
    """How long the tests were, and what control costs in length: all end at one error."""
    at = dict(lengths.counts)
    tests = sum(at.values())
    longest = max(at)
    if len(at) == 1:
        return (
            f"Every test had {longest} items: --se-stop ended none of them early, or all at once."
            " Give another --se-stop, --min-len or --max-len."
        )
    beside = ""
    if measures.uncontrolled is not None:
        beside = (
            " As tests end at the same error, the price of control is in their length:"
            f" {measures.mean_length:.2f} items against {measures.uncontrolled.mean_length:.2f}."
        )
    return (
        f"Half of the tests had at most {lengths.median} items, 80 % had {lengths.p10} to"
        f" {lengths.p90}, and {at[longest] / tests:.1%} the most, {longest}.{beside}"
    )


def accuracy_sentence(measures: Measures) -> str | None:
    """The accuracy in a sentence, for where no table is printed; None without an estimate."""
    found = measures.accuracy
    if found is None:
        return None
    without = measures.uncontrolled.accuracy if measures.uncontrolled is not None else None
    beside = f" (without control {without.rmse:.4f})" if without is not None else ""
    ending = "."
    if not math.isnan(found.correlation):  # of abilities that vary
        ending = f"; estimates correlate {found.correlation:.4f} with theta."
    return (
        f"Ability is estimated with an RMSE of {found.rmse:.4f}{beside}, a bias of"
        f" {_signed(found)} and a mean standard error of {found.standard_error:.4f}{ending}"
    )


def _signed(found: Accuracy) -> str:
    """A bias that rounds to nothing has no sign."""
    return f"{found.bias + 0.0:+.4f}" if abs(found.bias) >= 5e-5 else "0.0000"


def when_estimated_sentence(result: CalibrationResult) -> str | None:
    """What a table made at the true theta does in a test that estimates it; else None."""
    rate, tau = result.when_estimated, result.settings.tau
    if rate is None:
        return None
    times = rate / tau
    if times <= _NO_WORSE:
        return (
            f"In a test that ranks by an EAP estimate this table's largest exposure is {rate:.2f},"
            f" {times:.2f} times the cap: it serves there too."
        )
    theta = result.settings.delivery.theta
    prior = "" if has_spread(theta) else f" --prior normal:{number(theta.mean)},1"
    return (
        f"In a test that ranks by an EAP estimate this table's largest exposure is {rate:.2f},"
        f" {times:.2f} times the cap. If yours does, calibrate for it: --ability eap{prior}"
    )
