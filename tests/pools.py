"""Item pools and settings that several tests share."""

from __future__ import annotations

import numpy as np
from oracle import pool_c2

from shsim.model.ability import AbilityDistribution
from shsim.model.delivery import DeliverySettings
from shsim.model.item_pool import NO_TOPIC, ItemPool
from shsim.model.settings import CalibrationSettings, SimulationSettings

NORMAL = AbilityDistribution.normal(0, 1)


def make_pool(a, b, c, k=None, name="TEST", d=None):
    """A pool whose ids count up from 1/1."""
    n = len(a)
    return ItemPool.build(
        name,
        {
            "question_id": np.arange(1, n + 1),
            "version": np.ones(n, np.int64),
            "topic_id": np.full(n, NO_TOPIC),
            "a": np.asarray(a, float),
            "b": np.asarray(b, float),
            "c": np.asarray(c, float),
            "d": np.ones(n) if d is None else np.asarray(d, float),
            "k": np.ones(n) if k is None else np.asarray(k, float),
        },
    )


def golden_pool(size=500, k=None):
    """C2, or with 1,000 items C4."""
    return make_pool(*pool_c2(size), k)


def same_ranking(size, k=None):
    """Items that everybody ranks alike: the first is the best."""
    return make_pool(np.linspace(2, 1, size), np.zeros(size), np.zeros(size), k)


def calibration(length=30, rejection="position", seed=1, theta=NORMAL, scale=1.7, **settings):
    delivery = DeliverySettings(
        length=length, rejection=rejection, theta=theta, scale=scale, seed=seed
    )
    return CalibrationSettings.make(delivery, **settings)


def simulation(length=30, rejection="position", seed=1, theta=NORMAL, **settings):
    delivery = DeliverySettings(length=length, rejection=rejection, theta=theta, seed=seed)
    return SimulationSettings(delivery=delivery, **settings)
