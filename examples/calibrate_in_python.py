"""Calibrate a pool without the command line: python examples/calibrate_in_python.py."""

import numpy as np

from shsim import (
    AbilityDistribution,
    CalibrationSettings,
    DeliverySettings,
    ItemPool,
    calibrate,
)

rng = np.random.default_rng(1)
size = 300
pool = ItemPool.build(
    "EXAMPLE",
    {
        "question_id": np.arange(1, size + 1),
        "version": np.ones(size, dtype=np.int64),
        "topic_id": rng.integers(1, 6, size),
        "a": rng.lognormal(0.0, 0.3, size),
        "b": rng.normal(0.0, 1.0, size),
        "c": rng.beta(5, 17, size),
        "k": np.ones(size),
    },
)
delivery = DeliverySettings(length=25, theta=AbilityDistribution.parse("normal:0,1"), seed=1)
result = calibrate(pool, CalibrationSettings.make(delivery, tau=0.25))

print(result.verdict.sentence)
print(f"Stopped after {len(result.history)} iterations: {result.stopped}.")
print(f"Information kept: {result.measures.information_kept:.1%}.")
for i in np.argsort(result.k)[:3]:
    print(f"item {pool.item(i)}: k = {result.k[i]:.4f}, seen by {result.exposure.rate[i]:.2%}")
