"""For all tests of kernels."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _wrap_quietly():
    """Without the JIT, NumPy warns where uint64 wraps around, as splitmix64 wants."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        yield
