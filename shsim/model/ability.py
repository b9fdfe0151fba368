"""The distribution of true ability (theta) among simulated examinees."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from shsim.arrays import FloatArray
from shsim.errors import DataError

AbilityKind = Literal["normal", "uniform", "fixed", "empirical"]

#: Abilities beyond this are typing errors, not examinees.
LARGEST_THETA = 1e6

SPELLINGS = "normal:MU,SD  uniform:LO,HI  fixed:X  file:PATH"

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_PATTERN = re.compile(
    rf"\s*(?P<kind>normal|uniform|fixed)\s*:?\s*(?P<first>{_NUMBER})"
    rf"(?:\s*,\s*(?P<second>{_NUMBER}))?\s*",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, eq=False)
class AbilityDistribution:
    """A distribution of theta that gives quantiles; whoever needs examinees draws.

    Attributes
    ----------
    kind
        `normal` (mean, sd), `uniform` (low, high), `fixed` (value, 0) or `empirical`.
    first, second
        The two parameters; for `empirical` the mean and the standard deviation.
    values
        For `empirical` the abilities, ascending; else empty.
    spelling
        How the user writes it (`file:PATH` for an empirical one).
    """

    kind: AbilityKind
    first: float
    second: float
    values: FloatArray
    spelling: str

    @classmethod
    def parse(cls, text: str, option: str = "theta") -> AbilityDistribution:
        """Read `normal:0,1`, `uniform:-1,1`, `fixed:0` and the old `normal0,1` etc.

        `file:PATH` is not read here, since a model opens no file: see
        `shsim.storage.ability_file`. `option` is what messages call it.

        Raises
        ------
        DataError
            The spelling is unknown or a parameter is out of range.
        """
        match = _PATTERN.fullmatch(text)
        if match is None:
            raise DataError(f"{option} {text!r} is not understood. Write one of: {SPELLINGS}.")
        kind = match["kind"].lower()
        first = float(match["first"])
        second = float(match["second"]) if match["second"] is not None else None
        if (kind == "fixed") != (second is None):
            wanted = "one value" if kind == "fixed" else "two values"
            raise DataError(f"{option} {text!r}: {kind} takes {wanted}. Write one of: {SPELLINGS}.")
        if kind == "normal":
            return cls.normal(first, second or 0.0)
        if kind == "uniform":
            return cls.uniform(first, second or 0.0)
        return cls.fixed(first)

    @classmethod
    def normal(cls, mean: float, sd: float) -> AbilityDistribution:
        """A normal distribution; `sd` > 0."""
        mean += 0.0  # -0 is 0, here and below: a test has one spelling
        spelling = f"normal:{number(mean)},{number(sd)}"
        _require_sane(spelling, mean, sd)
        if not sd > 0:
            raise DataError(f"theta {spelling}: the standard deviation must be over 0.")
        return cls("normal", mean, sd, np.empty(0), spelling)

    @classmethod
    def uniform(cls, low: float, high: float) -> AbilityDistribution:
        """A uniform distribution on [low, high); `low` < `high`."""
        low, high = low + 0.0, high + 0.0
        spelling = f"uniform:{number(low)},{number(high)}"
        _require_sane(spelling, low, high)
        if not low < high:
            raise DataError(f"theta {spelling}: the first must be under the second.")
        return cls("uniform", low, high, np.empty(0), spelling)

    @classmethod
    def fixed(cls, value: float) -> AbilityDistribution:
        """The same ability for every examinee."""
        value += 0.0
        spelling = f"fixed:{number(value)}"
        _require_sane(spelling, value)
        return cls("fixed", value, 0.0, np.empty(0), spelling)

    @classmethod
    def empirical(cls, values: Sequence[float] | FloatArray, spelling: str) -> AbilityDistribution:
        """The abilities of a list, each equally likely; at least one, all finite."""
        ascending = np.sort(np.asarray(values, dtype=np.float64))
        if len(ascending) == 0:
            raise DataError(f"{spelling}: there is no ability in it. Write one number a line.")
        if not bool(np.all(np.abs(ascending) <= LARGEST_THETA)):
            raise DataError(f"{spelling}: an ability is not a number within ±{LARGEST_THETA:g}.")
        ascending.flags.writeable = False
        mean, sd = float(ascending.mean()), float(ascending.std())
        return cls("empirical", mean, sd, ascending, spelling)

    @property
    def digest(self) -> str:
        """SHA-256 of the abilities of an empirical distribution."""
        return hashlib.sha256(self.values.astype("<f8").tobytes()).hexdigest()

    @property
    def mean(self) -> float:
        """The mean ability."""
        return (self.first + self.second) / 2 if self.kind == "uniform" else self.first

    def quantile(self, p: FloatArray) -> FloatArray:
        """The ability under which a share `p` of examinees lies.

        Parameters
        ----------
        p
            Shares in (0, 1), any shape.

        Returns
        -------
        FloatArray
            Of the shape of `p`, contiguous.
        """
        if self.kind == "normal":
            return self.first + self.second * standard_normal_quantile(p)
        if self.kind == "uniform":
            return self.first + (self.second - self.first) * p
        if self.kind == "fixed":
            return np.full(np.shape(p), self.first)
        m = len(self.values)
        return self.values[np.minimum((p * m).astype(np.int64), m - 1)]


def _require_sane(spelling: str, *values: float) -> None:
    """Refuse NaN, infinity and what no scale of ability reaches."""
    if not all(abs(value) <= LARGEST_THETA for value in values):
        raise DataError(f"theta {spelling}: a value is not a number within ±{LARGEST_THETA:g}.")


def number(x: float) -> str:
    """A number as a person would write it, without losing a digit: ``0.2``, ``1``."""
    short = f"{x:g}"
    return short if float(short) == x else repr(x)


# Wichura (1988), algorithm AS 241, PPND16: about 16 digits.
_CENTRE = (
    (2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
     4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
     1.3314166789178437745e2, 3.3871328727963666080e0),
    (5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
     2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
     4.2313330701600911252e1, 1.0),
)  # fmt: skip
_MIDDLE = (
    (7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
     1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
     4.63033784615654529590e0, 1.42343711074968357734e0),
    (1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
     1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
     2.05319162663775882187e0, 1.0),
)  # fmt: skip
_TAIL = (
    (2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
     2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
     5.46378491116411436990e0, 6.65790464350110377720e0),
    (2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
     7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
     5.99832206555887937690e-1, 1.0),
)  # fmt: skip


def standard_normal_quantile(p: FloatArray) -> FloatArray:
    """The standard normal quantile of `p` in (0, 1), to about 16 digits (AS 241)."""
    shape, p = np.shape(p), np.asarray(p, dtype=np.float64).ravel()
    q = p - 0.5
    value = q * _ratio(_CENTRE, 0.180625 - q * q)
    outer = np.abs(q) > 0.425
    if bool(outer.any()):
        edge = q[outer]
        r = np.sqrt(-np.log(np.where(edge < 0, p[outer], 1.0 - p[outer])))
        size = np.where(r <= 5.0, _ratio(_MIDDLE, r - 1.6), _ratio(_TAIL, r - 5.0))
        value[outer] = np.copysign(size, edge)
    return value.reshape(shape)


def _ratio(coefficients: tuple[tuple[float, ...], tuple[float, ...]], x: FloatArray) -> FloatArray:
    """A ratio of two polynomials, highest power first."""
    return np.asarray(np.polyval(coefficients[0], x) / np.polyval(coefficients[1], x))
