"""How well ability was estimated: from sums over examinees, by theta decile and in all."""

from __future__ import annotations

import numpy as np

from shsim.arrays import FloatArray
from shsim.model.results import Accuracy

#: What is summed over examinees: their number, theta, its square, theta_hat, its square, their
#: product, the error, its square, the standard error where it is finite, and how often it is.
(_N, _THETA, _THETA2, _HAT, _HAT2, _PRODUCT, _ERROR, _ERROR2, _SE, _WITH_SE) = range(10)
ERROR_COLUMNS = 10


def error_terms(
    theta: FloatArray, theta_hat: FloatArray, standard_error: FloatArray
) -> tuple[FloatArray, ...]:
    """What each examinee adds to the sums, in the order of the columns.

    Abilities are taken from about their mean, so that squares keep their digits.
    """
    error = theta_hat - theta
    # Answers to items without any information leave no standard error to average.
    finite = np.isfinite(standard_error)
    return (
        np.ones(len(theta)),
        theta,
        theta * theta,
        theta_hat,
        theta_hat * theta_hat,
        theta * theta_hat,
        error,
        error * error,
        np.where(finite, standard_error, 0.0),
        finite.astype(np.float64),
    )


def accuracy(sums: FloatArray) -> Accuracy:
    """Bias, RMSE, standard errors and correlation.

    Parameters
    ----------
    sums
        (10, 10): one row a theta decile, as :func:`error_terms` adds up.
    """
    whole = sums.sum(axis=0)
    n = np.maximum(sums[:, _N], 1.0)
    bias = sums[:, _ERROR] / n
    mean_square = sums[:, _ERROR2] / n
    return Accuracy(
        n=int(whole[_N]),
        bias=float(whole[_ERROR] / whole[_N]),
        rmse=float(np.sqrt(whole[_ERROR2] / whole[_N])),
        standard_error=float(whole[_SE] / max(whole[_WITH_SE], 1.0)),
        correlation=_correlation(whole),
        bias_by_decile=tuple(bias.tolist()),
        rmse_by_decile=tuple(np.sqrt(mean_square).tolist()),
        standard_error_by_decile=tuple(
            (sums[:, _SE] / np.maximum(sums[:, _WITH_SE], 1.0)).tolist()
        ),
        error_sd_by_decile=tuple(np.sqrt(np.maximum(mean_square - bias**2, 0.0)).tolist()),
    )


def _correlation(whole: FloatArray) -> float:
    """Pearson's, of theta and theta_hat; nan where either is the same for everybody."""
    n = whole[_N]
    covariance = whole[_PRODUCT] - whole[_THETA] * whole[_HAT] / n
    spread = whole[_THETA2] - whole[_THETA] ** 2 / n
    spread_hat = whole[_HAT2] - whole[_HAT] ** 2 / n
    if spread <= 1e-12 * whole[_THETA2] or spread_hat <= 1e-12 * whole[_HAT2]:
        return float("nan")
    return float(covariance / np.sqrt(spread * spread_hat))
