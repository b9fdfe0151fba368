"""Results with made-up figures: the renderers must show them, whoever computed them."""

from __future__ import annotations

from typing import Any

import numpy as np

from shsim.arrays import FloatArray
from shsim.model.ability import AbilityDistribution
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import NO_TOPIC, ItemPool
from shsim.model.results import (
    CalibrationResult,
    ItemExposure,
    IterationRecord,
    Measures,
    SimulationResult,
    Verdict,
)
from shsim.model.settings import CalibrationSettings, SimulationSettings

TAU = 0.2
N = 100_000


def pool(size: int = 300, name: str = "DEMO-EXAM", seed: int = 1) -> ItemPool:
    rng = np.random.default_rng(seed)
    defaulted = np.zeros(size, dtype=bool)
    defaulted[size // 2] = True
    topics = rng.integers(1, 9, size)
    topics[0] = NO_TOPIC
    return ItemPool.build(
        name,
        {
            "question_id": np.arange(1001, 1001 + size),
            "version": rng.integers(1, 4, size),
            "topic_id": topics,
            "a": np.exp(rng.normal(0, 0.3, size)),
            "b": rng.normal(0, 1, size),
            "c": rng.beta(5, 17, size),
            "k": np.ones(size),
            "k_stored": np.arange(size) % 2 == 0,
            "defaulted": defaulted,
        },
    )


def exposure(rates: FloatArray) -> ItemExposure:
    seen = np.round(rates * N).astype(np.int64)
    rate = seen / N
    half = 1.96 * np.sqrt(rate * (1 - rate) / N)
    return ItemExposure(
        n=N,
        seen=seen,
        proposed=seen * 3,
        rate=rate,
        low=np.maximum(rate - half, 0),
        high=rate + half,
        over=rate > TAU * 1.02,
    )


def measures(rates: FloatArray, **changed: Any) -> Measures:
    figures: dict[str, Any] = {
        "n": N,
        "tau": TAU,
        "held": bool((rates <= TAU * 1.02).all()),
        "max_exposure": float(rates.max()),
        "max_over": max(float(rates.max()) - TAU, 0.0),
        "over": int((rates > TAU).sum()),
        "over_beyond_noise": int((rates > TAU * 1.02).sum()),
        "visible_excess": 0.0123,
        "mean_exposure": float(rates.mean()),
        "unused": int((rates == 0).sum()),
        "forced": 0,
        "forced_per_test": 0.0,
        "proposals_per_test": 81.25,
        "overlap": 0.172,
        "chi_square": 55.9,
        "gini": 0.682,
        "max_by_decile": (0.99, 0.98, 0.97, 0.95, 0.91, 0.88, 0.85, 0.9, 0.97, 1.0),
        "information": 21.5,
        "information_kept": 0.961,
        "mean_length": 30.0,
        **changed,
    }
    return Measures(**figures)


def delivery() -> DeliverySettings:
    return DeliverySettings(theta=AbilityDistribution.normal(0, 1), seed=7)


def calibrated_rates(size: int, seed: int = 2) -> FloatArray:
    rng = np.random.default_rng(seed)
    rates: FloatArray = np.minimum(rng.exponential(0.12, size), 0.199 + rng.normal(0, 5e-4, size))
    rates[:4] = 0
    return np.clip(rates, 0, 1)


def calibration(
    size: int = 300, name: str = "DEMO-EXAM", *, held: bool = True
) -> CalibrationResult:
    items = pool(size, name)
    rates = calibrated_rates(size)
    if not held:
        rates[10:13] = (0.25, 0.31, 0.452)
    k = np.where(rates > 0.19, np.random.default_rng(3).uniform(0.02, 0.9, size), 1.0)
    k[12] = 0.001
    verdict = (
        Verdict(
            held=True,
            sentence="The cap of 0.2 is held: the largest exposure is 0.2004.",
            reason=None,
            remedy=None,
        )
        if held
        else Verdict(
            held=False,
            sentence="The cap of 0.2 is NOT held: 3 items are over it beyond noise.",
            reason="floor",
            remedy="The floor holds them up: type --floor 0.001.",
        )
    )
    settings = CalibrationSettings.make(delivery(), tau=TAU)
    history = tuple(IterationRecord(i, 0.1, 0.5 - i / 100, 0.3 - i / 100, 0.01) for i in range(24))
    return CalibrationResult(
        pool=items,
        settings=settings,
        k=k,
        history=history,
        stopped="converged" if held else "iterations",
        before=measures(np.minimum(rates * 2.4, 1), information_kept=1.0, overlap=0.265),
        exposure=exposure(rates),
        measures=measures(rates),
        verdict=verdict,
        reasons=None,
        seconds=0.4213,
    )


def simulation(size: int = 300, name: str = "DEMO-EXAM") -> SimulationResult:
    items = pool(size, name)
    rates = np.minimum(calibrated_rates(size) * 2.4, 1)
    return SimulationResult(
        pool=items,
        settings=SimulationSettings(delivery=delivery()),
        exposure=exposure(rates),
        measures=measures(rates),
        verdict=Verdict(
            held=False,
            sentence="The cap of 0.2 is NOT held: 41 items are over it beyond noise.",
            reason="in_force",
            remedy="Run: shsim calibrate --exam DEMO-EXAM --tau 0.2",
        ),
        seconds=0.12,
    )
