"""What is believed of ability before the first response, on the grid of the estimates."""

from __future__ import annotations

import numpy as np

from shsim.arrays import FloatArray
from shsim.model.delivery import REACH, DeliverySettings, has_spread

#: Nodes of the grid, at least and at most.
FEWEST, MOST = 64, 1024

#: Trapezoids of a posterior err by under 1e-4 of its standard deviation while that is at least
#: so much of the nodes' distance.
_RESOLVED = 0.7


def nodes_for(delivery: DeliverySettings, error: float) -> int:
    """Nodes that resolve a posterior as narrow as `error`: 64 but for wide priors, rich pools."""
    low, high = delivery.reach
    wanted = _RESOLVED * (high - low) / error
    return int(min(max(FEWEST, -(-wanted // 8) * 8), MOST))


def grid(delivery: DeliverySettings, count: int = FEWEST) -> tuple[FloatArray, FloatArray]:
    """`count` nodes, equally spaced, and the weights of what is believed; sum 1.

    MLE and WLE have no prior; their grid, whose ends are their bounds, is that of the
    ability distribution.
    """
    believed = delivery.believed
    nodes = np.linspace(*delivery.reach, count)
    if has_spread(believed) and believed.kind == "uniform":
        weights = np.ones(count)
        weights[[0, -1]] = 0.5
    elif has_spread(believed) and believed.kind == "empirical" and delivery.ability == "eap":
        weights = _shared_out(believed.values, nodes)
    else:
        weights = np.exp(-0.5 * np.linspace(-REACH, REACH, count) ** 2)
    return nodes, weights / weights.sum()


def _shared_out(values: FloatArray, nodes: FloatArray) -> FloatArray:
    """Each value's weight goes to the two nodes beside it, so that the mean is kept."""
    place = (values - nodes[0]) / (nodes[1] - nodes[0])
    left = np.clip(place.astype(np.int64), 0, len(nodes) - 2)
    share = place - left
    weights = np.bincount(left, 1 - share, len(nodes))
    weights += np.bincount(left + 1, share, len(nodes))
    return weights.astype(np.float64)
