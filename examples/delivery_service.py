"""A delivery service asks for each next item: python examples/delivery_service.py.

Three examinees take a test of ten items, one of them in two halves. Where SHSIM_REDIS_URL is
set (and the extra redis installed), every proposal is counted there.
"""

import json
import os
from contextlib import nullcontext

import numpy as np

from shsim import (
    AbilityDistribution,
    CalibrationSettings,
    DeliverySettings,
    Selector,
    calibrate,
)
from shsim.storage.demo import demo_pool

# A service loads its exam once: open_store(dsn).load_pool("MATH-1"), of shsim.storage.open.
pool = demo_pool()
normal = AbilityDistribution.parse("normal:0,1")
delivery = DeliverySettings(length=10, ability="eap", theta=normal, seed=1)
k = calibrate(pool, CalibrationSettings.make(delivery, tau=0.15, verify_n=50_000)).k
selector = Selector(pool.with_k(k), delivery)  # all that compiles does so here
place = {
    item: i
    for i, item in enumerate(zip(pool.question_id.tolist(), pool.version.tolist(), strict=True))
}


def counting():
    """What counts a whole test's proposals, if anything does."""
    if not os.environ.get("SHSIM_REDIS_URL"):
        return nullcontext()
    from shsim.extras.redis_proposals import buffered

    return buffered()


class Estimate:
    """Ability by EAP, as the service estimates it: the posterior's mean on a grid."""

    def __init__(self):
        self.nodes = np.linspace(-4, 4, 64)
        self.weight = np.exp(-(self.nodes**2) / 2)

    @property
    def theta_hat(self):
        """The estimate now."""
        return float(self.weight @ self.nodes / self.weight.sum())

    def learn(self, i, right):
        """Take an answer in."""
        p = chance(i, self.nodes)
        self.weight = self.weight * (p if right else 1 - p)


def chance(i, theta):
    """3PL probability of a right answer."""
    return pool.c[i] + (1 - pool.c[i]) / (1 + np.exp(-1.7 * pool.a[i] * (theta - pool.b[i])))


def take(session, estimate, theta, positions, rng):
    """Some positions of an examinee's test; answers are drawn at a true ability."""
    with counting() as bump:
        for _ in range(positions):
            item = session.next_item(estimate.theta_hat, on_proposal=bump).item
            estimate.learn(place[item], rng.random() < chance(place[item], theta))


rng = np.random.default_rng(1)
for examinee, theta in enumerate((-1.0, 0.0, 1.5)):
    session, estimate = selector.session(seed=examinee), Estimate()
    take(session, estimate, theta, 5, rng)
    # Between two requests the session is kept as JSON, and may go on in another process.
    session = selector.resume(json.loads(json.dumps(session.state)))
    take(session, estimate, theta, 5, rng)
    items = " ".join(f"{question}/{version}" for question, version in session.seen)
    print(f"theta {theta:+.1f}, estimated {estimate.theta_hat:+.2f}: {items}")

# The night's calibration has saved other k: they are taken over while tests go on.
refreshed = selector.refresh(lambda: demo_pool().with_k(np.minimum(1.0, 1.1 * k)))
print(f"{refreshed.k_changed} k taken over, {len(refreshed.added)} items new.")
