"""Pools that have broken rankings before, and one call that gives tests to examinees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shsim.kernels.acceptance import make_rule
from shsim.kernels.administer import administer
from shsim.kernels.irt import prepare_items
from shsim.kernels.ranking import build_ranking
from shsim.kernels.sitting import make_examinees
from shsim.kernels.workspace import make_scratch, make_tallies

KEY = np.uint64(0x1234_5678_9ABC_DEF1)


@dataclass(frozen=True)
class Pool:
    a: np.ndarray
    b: np.ndarray
    c: np.ndarray
    k: np.ndarray
    scale: float = 1.7
    d: np.ndarray | None = None

    @property
    def upper(self):
        return np.ones(len(self.a)) if self.d is None else self.d

    @property
    def parameters(self):
        """As the oracle takes them."""
        return self.a, self.b, self.c, self.scale, self.upper

    @property
    def items(self):
        """As the kernels take them."""
        return prepare_items(self.a, self.b, self.c, self.upper, self.scale)


def pools():
    """Small pools by name: ties, extremes, k of 0 and 1, items that run out."""
    rng = np.random.default_rng(3)
    n = 24
    a, b, c = np.exp(rng.normal(0, 0.3, n)), rng.normal(0, 1, n), rng.beta(5, 17, n)
    half = rng.uniform(0.05, 0.9, n)
    d = c + (1 - c) * rng.uniform(0.3, 1, n)
    return {
        "ordinary": Pool(a, b, c, half),
        "all accepted": Pool(a, b, c, np.ones(n)),
        "all refused": Pool(a, b, c, np.zeros(n)),
        "runs out": Pool(a, b, c, np.full(n, 0.02)),
        "mixed": Pool(a, b, c, np.where(np.arange(n) % 3 == 0, 0.0, np.where(half > 0.5, 1, half))),
        "tiny k": Pool(a, b, c, np.where(np.arange(n) < 6, 5e-324, half)),
        "ties": Pool(np.ones(n), np.repeat([0.0, 0.5, -0.5], 8), np.full(n, 0.2), half),
        "one item many times": Pool(np.ones(n), np.zeros(n), np.zeros(n), half),
        "no guessing": Pool(a, b, np.zeros(n), half),
        "extreme a": Pool(np.geomspace(1e-3, 1e3, n), b, c, half),
        "far b": Pool(a, np.linspace(-400, 400, n), c, half),
        "no guessing, far": Pool(a * 50, np.linspace(-400, 400, n), np.zeros(n), half),
        "scale 1": Pool(a, b, c, half, scale=1.0),
        "upper asymptotes": Pool(a, b, c, half, d=d),
        "some upper asymptotes": Pool(a, b, c, half, d=np.where(np.arange(n) % 2 == 0, 1.0, d)),
        "upper asymptotes, no guessing": Pool(a, b, np.zeros(n), half, scale=1.0, d=d),
        "upper asymptotes, extreme": Pool(
            np.geomspace(1e-3, 1e3, n),
            np.linspace(-400, 400, n),
            np.where(np.arange(n) % 3 == 0, 0.0, c),
            half,
            d=np.where(np.arange(n) % 2 == 0, d, np.nextafter(1.0, 0.0)),
        ),
        "upper asymptotes, ties": Pool(
            np.ones(n), np.repeat([0.0, 0.5, -0.5], 8), np.full(n, 0.2), half, d=np.full(n, 0.9)
        ),
    }


@dataclass(frozen=True)
class Given:
    """Tallies of examinees first … first + len(theta) - 1."""

    counts: np.ndarray
    by_decile: np.ndarray
    forced: int
    information: np.ndarray
    strays: int


def give(  # noqa: PLR0913 - what a test may want to vary
    pool, theta, length, *, by_position, bins=64, depth=None, first=0, histogram=False, decile=None
):
    """Give tests to examinees through the kernel."""
    size = len(pool.a)
    theta = np.asarray(theta, dtype=np.float64)
    ranking = build_ranking(pool.items, -3.0, 3.0, depth or size, bins)
    tallies = make_tallies(size, length, histogram=histogram, by_decile=decile is not None)
    tallies = tallies._replace(information=np.zeros((len(theta), 2)))
    decile = np.zeros(len(theta), np.uint8) if decile is None else decile
    examinees = make_examinees(ranking.tables, theta, decile, first, KEY)
    rule = make_rule(pool.k, length, by_position=by_position)
    scratch = make_scratch(size)
    at = strays = 0
    while at < len(theta):  # a patience of 0 ends the call at each stray
        at = administer(
            ranking.tables, rule, examinees, tallies, scratch, at, 0, np.zeros(1, np.uint8)
        )
        strays += at < len(theta)
    return Given(
        tallies.counts, tallies.by_decile, int(tallies.forced[0]), tallies.information, strays
    )
