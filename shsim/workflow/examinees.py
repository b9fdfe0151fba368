"""Who takes the simulated tests: draws of theta, chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shsim.arrays import AnyArray, FloatArray
from shsim.kernels.rng import (
    PURPOSE_ACCEPT,
    PURPOSE_ANSWER,
    PURPOSE_CONTROL,
    PURPOSE_THETA,
    stream_key,
    uniforms,
)
from shsim.kernels.workspace import DECILES
from shsim.model.ability import AbilityDistribution


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Cohort:
    """The examinees of one iteration; each is a pure function of its number.

    Attributes
    ----------
    theta
        The distribution of ability.
    n
        How many there are.
    seed, stream, iteration
        What keys the draws.
    stratified
        Examinee i draws from the i-th of n equally likely slices, else from the whole.
    """

    theta: AbilityDistribution
    n: int
    seed: int
    stream: int
    iteration: int = 0
    stratified: bool = False

    def abilities(self, first: int, count: int) -> tuple[FloatArray, AnyArray]:
        """Theta and its decile (0 to 9) of the examinees first … first + count - 1."""
        key = stream_key(self.seed, self.stream, self.iteration, PURPOSE_THETA)
        share = uniforms(key, first, count)
        if self.stratified:
            share = (np.arange(first, first + count) + share) / self.n
            np.minimum(share, 1.0 - 2.0**-53, out=share)  # the sum may round up to n
        decile = np.minimum(share * DECILES, DECILES - 1).astype(np.uint8)
        return self.theta.quantile(share), decile

    @property
    def acceptance_key(self) -> np.uint64:
        """The key of the examinees' acceptance draws."""
        return stream_key(self.seed, self.stream, self.iteration, PURPOSE_ACCEPT)

    @property
    def answer_key(self) -> np.uint64:
        """The key of the examinees' answers to items."""
        return stream_key(self.seed, self.stream, self.iteration, PURPOSE_ANSWER)

    @property
    def control_key(self) -> np.uint64:
        """The key of what another control than acceptance draws."""
        return stream_key(self.seed, self.stream, self.iteration, PURPOSE_CONTROL)
