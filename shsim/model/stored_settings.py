"""From plain values, as `settings_as_dict` gives them, back to settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from shsim.model.ability import AbilityDistribution
from shsim.model.blueprint import NONE, Blueprint, TopicRule
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import NO_TOPIC
from shsim.model.plain_values import misfits
from shsim.model.settings import CalibrationSettings


def calibration_settings(
    plain: Mapping[str, Any], read: Callable[[str, str], AbilityDistribution]
) -> CalibrationSettings:
    """The settings of a calibration.

    Parameters
    ----------
    plain
        One value a field, and no more.
    read
        Spelling and option to a distribution: a model opens no file.

    Raises
    ------
    ValueError
        A field is missing or unknown: another version has other settings.
    TypeError
        A value is of another type than its field; they are named.
    """
    of_test = {field.name for field in fields(DeliverySettings)}
    of_rule = {field.name for field in fields(CalibrationSettings)} - {"delivery"}
    strange = (of_test | of_rule) ^ set(plain)
    if strange:
        raise ValueError(", ".join(sorted(strange)))
    wrong = [*_wrong_of_test(plain), *misfits(CalibrationSettings, plain)]
    if wrong:
        raise TypeError(", ".join(sorted(wrong)))
    test = {name: plain[name] for name in of_test}
    test["theta"] = read(plain["theta"], "theta")
    test["prior"] = None if plain["prior"] is None else read(plain["prior"], "prior")
    if plain["blueprint"] is not None:
        test["blueprint"] = _blueprint(plain["blueprint"])
    rule = {name: plain[name] for name in of_rule}
    return CalibrationSettings(delivery=DeliverySettings(**test), **rule)


def is_blueprint(plain: Any) -> bool:
    """Whether a value is a blueprint as it is stored: topics with the least and the most."""
    return isinstance(plain, Mapping) and all(
        (name == NONE or (name.isascii() and name.removeprefix("-").isdecimal()))
        and isinstance(rule, Mapping)
        and set(rule) == {"least", "most"}
        and not misfits(TopicRule, rule)
        for name, rule in plain.items()
    )


def _wrong_of_test(plain: Mapping[str, Any]) -> list[str]:
    """Settings of the test that are none, those that stand as text or by topic among them."""
    theta, prior, blueprint = plain["theta"], plain["prior"], plain["blueprint"]
    special = {
        "theta": isinstance(theta, str),
        "prior": prior is None or isinstance(prior, str),
        "blueprint": blueprint is None or is_blueprint(blueprint),
    }
    others = {name: value for name, value in plain.items() if name not in special}
    return [name for name, good in special.items() if not good] + misfits(DeliverySettings, others)


def _blueprint(plain: Mapping[str, Mapping[str, Any]]) -> Blueprint:
    return Blueprint(
        tuple(
            TopicRule(NO_TOPIC if name == NONE else int(name), rule["least"], rule["most"])
            for name, rule in plain.items()
        )
    )
