"""Keyed draws: each a pure function of (seed, stream, iteration, examinee, number).

The generator is splitmix64 (Steele, Lea & Flood 2014), used as a hash: the n-th
output of the sequence that starts at a key. No state is carried, so that any number
of threads, in any order, draws the same numbers.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from shsim.arrays import FloatArray
from shsim.kernels.jit import device

#: Streams never share a draw.
STREAM_CALIBRATE: Final = 1
STREAM_VERIFY: Final = 2
STREAM_SIMULATE: Final = 3
STREAM_LIVE: Final = 4

#: What an examinee's draw is for; combined with the stream.
PURPOSE_THETA: Final = 1
PURPOSE_ACCEPT: Final = 2
PURPOSE_ANSWER: Final = 3
PURPOSE_CONTROL: Final = 4

_MASK = (1 << 64) - 1
_GOLDEN_INT = 0x9E3779B97F4A7C15
_GOLDEN = np.uint64(_GOLDEN_INT)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S12, _S27, _S30, _S31 = np.uint64(12), np.uint64(27), np.uint64(30), np.uint64(31)
_ONE = np.uint64(1)
_UNIT = 2.0**-52


@device
def mix(z: Any) -> Any:
    """The finaliser of splitmix64: one uint64 to another, without collisions."""
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    return z ^ (z >> _S31)


@device
def nth_key(key: Any, number: Any) -> Any:
    """The number-th (uint64, from 0) output of the sequence that starts at `key`."""
    return mix(key + (number + _ONE) * _GOLDEN)


@device
def unit(key: Any) -> Any:
    """A key as a uniform number strictly between 0 and 1, with 52 bits."""
    return (np.float64(key >> _S12) + 0.5) * _UNIT


def stream_key(seed: int, stream: int, iteration: int, purpose: int) -> np.uint64:
    """The key of one purpose in one iteration of one stream."""
    key = seed & _MASK
    for number in (stream, iteration, purpose):
        key = _mix_int((key + (number + 1) * _GOLDEN_INT) & _MASK)
    return np.uint64(key)


def uniforms(key: np.uint64, first: int, count: int) -> FloatArray:
    """One uniform in (0, 1) for each of the examinees first … first + count - 1."""
    numbers = np.arange(first + 1, first + count + 1, dtype=np.uint64)
    z = numbers * _GOLDEN + key
    z = (z ^ (z >> _S30)) * _FIRST
    z = (z ^ (z >> _S27)) * _SECOND
    z ^= z >> _S31
    return ((z >> _S12).astype(np.float64) + 0.5) * _UNIT


def _mix_int(z: int) -> int:
    """`mix` on a Python integer."""
    z = ((z ^ (z >> 30)) * int(_FIRST)) & _MASK
    z = ((z ^ (z >> 27)) * int(_SECOND)) & _MASK
    return z ^ (z >> 31)
