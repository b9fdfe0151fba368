"""What is believed of ability before the first response, on the grid of the estimates."""

from __future__ import annotations

import numpy as np

from shsim.arrays import FloatArray
from shsim.model.ability import AbilityDistribution
from shsim.model.delivery import DeliverySettings, has_spread

#: Nodes of the grid: trapezoids of a posterior err by under 1e-5 of its standard deviation
#: while that is at least .7 of their distance.
NODES = 64

#: The grid of a normal prior reaches so many standard deviations to either side.
REACH = 4.0


def grid(delivery: DeliverySettings) -> tuple[FloatArray, FloatArray]:
    """Nodes, equally spaced, and the weights of what is believed, (64,) each; sum 1.

    MLE and WLE have no prior; their grid, whose ends are their bounds, is that of the
    ability distribution.
    """
    believed = delivery.believed
    if not has_spread(believed):  # nothing to go by but its place
        believed = AbilityDistribution.normal(believed.mean, 1.0)
    if believed.kind == "uniform":
        nodes = np.linspace(believed.first, believed.second, NODES)
        weights = np.ones(NODES)
        weights[[0, -1]] = 0.5
    elif believed.kind == "normal" or delivery.ability in ("mle", "wle"):
        z = np.linspace(-REACH, REACH, NODES)
        nodes, weights = believed.first + believed.second * z, np.exp(-0.5 * z * z)
    else:
        nodes, weights = _shared_out(believed.values)
    return nodes, weights / weights.sum()


def _shared_out(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Each value's weight goes to the two nodes beside it, so that the mean is kept."""
    nodes = np.linspace(float(values[0]), float(values[-1]), NODES)
    place = (values - nodes[0]) / (nodes[1] - nodes[0])
    left = np.clip(place.astype(np.int64), 0, NODES - 2)
    share = place - left
    weights = np.bincount(left, 1 - share, NODES) + np.bincount(left + 1, share, NODES)
    return nodes, weights.astype(np.float64)
