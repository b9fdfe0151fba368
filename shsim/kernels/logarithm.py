"""A natural logarithm good to ten digits, for a quarter of the library's price.

Used where the last digits don't decide: whoever needs them asks `math.log`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from shsim.kernels.jit import device

#: The absolute error of :func:`quick_log` is under this for arguments in (0, 1]: r^4/4 of
#: the series below, with |r| < 1/512, and rounding.
ERROR: Final = 1e-11

# The mantissa's first eight bits choose a centre; its inverse and its logarithm.
_CENTRES = 1.0 + (np.arange(256) + 0.5) / 256.0
_INVERSE = 1.0 / _CENTRES
_LOG = np.log(_CENTRES)
_LN2 = float(np.log(2.0))
_THIRD = 1.0 / 3.0  # a product, since a division would take as long as all the rest
_MANTISSA, _ONE_BITS = 0x000FFFFFFFFFFFFF, 0x3FF0000000000000


@device
def quick_log(x: float) -> float:
    """Ln x of a normal x > 0, to within `ERROR` for x in (2^-60, 1]."""
    bits = np.float64(x).view(np.int64)
    centre = (bits >> 44) & 255
    mantissa = np.int64((bits & _MANTISSA) | _ONE_BITS).view(np.float64)
    r = mantissa * _INVERSE[centre] - 1.0
    exponent = (bits >> 52) - 1023
    return float(exponent * _LN2 + _LOG[centre] + r * (1.0 - r * (0.5 - r * _THIRD)))
