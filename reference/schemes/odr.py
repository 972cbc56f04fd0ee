"""Orthogonal distance regression of a line, by Gauss-Newton on (beta, delta). Source: (002).

min sum ((b0 (x + delta) + b1 - y) / sy)^2 + (delta / sx)^2, with sx, sy standard deviations.

With constant sx and sy the slope is Deming's, with lambda = sy^2 / sx^2; sx -> 0 is least squares.
cov = (J^T J)^-1 of beta for sigmas as given; sd_beta = sqrt(diag cov * S / (n - 2)) rescales it by
the fit, so it is zero for points on a line, however large the sigmas: absolute errors are
sqrt(diag cov).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import qr, solve_triangular

from reference import shapes
from reference.losses import odr
from reference.schemes.step import Step


def loss_and_gradient(weights, x, y, sx, sy):
    """S and its gradient at {"beta": (2,), "delta": (n,)} for x, y, sx, sy (n,)."""
    beta, delta = weights["beta"], weights["delta"]
    pulled = odr.vjp(1.0, beta, delta, x, y, sx, sy)
    return odr.forward(beta, delta, x, y, sx, sy), {k: pulled[k] for k in ("beta", "delta")}


def solve(x, y, sx, sy, beta=(1.0, 0.0), *, limit=50, tolerance=1e-14):
    """Gauss-Newton steps from `beta` and delta = 0, halved until S does not grow.

    Ends with "converged" when a step lowers S by less than `tolerance` S (or S is zero), or with
    "limit". sx, sy: numbers or (n,). Raises ValueError on fewer than 2 points, unlike shapes,
    sigmas that are not positive, numbers that are not finite.
    """
    x, y, sx, sy = _data(x, y, sx, sy)
    shapes.at_least("limit", limit, 1)
    weights = {"beta": np.array(beta, dtype=float), "delta": np.zeros(len(x))}
    return _iterate(weights, (x, y, sx, sy), limit, tolerance)


def _iterate(weights, data, limit, tolerance):
    for number in range(1, limit + 1):
        loss, gradient = loss_and_gradient(weights, *data)
        after = _gauss_newton(weights, data, loss)
        lowered = loss - odr.forward(after["beta"], after["delta"], *data)
        step = Step(number, weights, gradient, loss, after)
        if lowered <= tolerance * loss:
            yield replace(step, stopped="converged")
            return
        yield replace(step, stopped="limit" if number == limit else None)
        weights = after


def _gauss_newton(weights, data, loss):
    beta, delta = weights["beta"], weights["delta"]
    J, r = odr.jacobian(beta, delta, *data), odr.residuals(beta, delta, *data)
    move = np.linalg.lstsq(J, -r, rcond=None)[0]
    for _ in range(60):
        after = {"beta": beta + move[:2], "delta": delta + move[2:]}
        if odr.forward(after["beta"], after["delta"], *data) <= loss:
            return after
        move = move / 2
    return weights


@dataclass(frozen=True)
class Summary:
    """What ODRPACK prints about a fit: cov for sigmas as given, sd_beta rescaled by res_var."""

    beta: np.ndarray
    delta: np.ndarray
    sum_square: float
    res_var: float
    cov: np.ndarray
    sd_beta: np.ndarray
    inv_condnum: float


def summary(weights, x, y, sx, sy, start=(1.0, 0.0)):
    """The Summary at {"beta", "delta"}. res_var = S / (n - 2); at least 3 points are needed.

    start: the beta the fit began with, from which ODRPACK takes the scale of inv_condnum.
    """
    x, y, sx, sy = _data(x, y, sx, sy)
    shapes.at_least("the number of points", len(x), 3)
    beta, delta = weights["beta"], weights["delta"]
    sum_square = float(odr.forward(beta, delta, x, y, sx, sy))
    res_var = sum_square / (len(x) - 2)
    cov = odr.covariance(beta, delta, x, y, sx, sy)
    sd = np.sqrt(np.diag(cov) * res_var)
    weight = 1 / np.sqrt(sy**2 + beta[0] ** 2 * sx**2)
    J = weight[:, None] * np.stack([x + delta, np.ones(len(x))], axis=1) / _scale(np.asarray(start))
    return Summary(beta, delta, sum_square, res_var, cov, sd, inverse_condition(J))


def deming(x, y, sx, sy):
    """(slope, intercept) in closed form for numbers sx, sy: lambda = sy^2 / sx^2.

    Raises ValueError where x and y are uncorrelated: the slope is 0 or vertical.
    """
    x, y, *_ = _data(x, y, sx, sy)
    dx, dy = x - x.mean(), y - y.mean()
    sxx, syy, sxy = dx @ dx, dy @ dy, dx @ dy
    if sxy == 0:
        raise ValueError("x and y are uncorrelated: Deming's slope is not determined")
    spread = syy - (sy / sx) ** 2 * sxx
    slope = (spread + np.sqrt(spread**2 + 4 * (sy / sx) ** 2 * sxy**2)) / (2 * sxy)
    return np.array([slope, y.mean() - slope * x.mean()])


def _data(x, y, sx, sy):
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    shapes.expect(x=(x, "n"), y=(y, "n"))
    shapes.at_least("the number of points", len(x), 2)
    sigmas = [np.full(len(x), s, dtype=float) if np.ndim(s) == 0 else s for s in (sx, sy)]
    for name, value in zip(("x", "y", "sx", "sy"), (x, y, *sigmas), strict=True):
        if not np.isfinite(value).all():
            raise ValueError(f"{name} holds {value[~np.isfinite(value)][0]}: it must be finite")
    return x, y, np.asarray(sigmas[0], float), np.asarray(sigmas[1], float)


def _scale(beta):
    """ODRPACK's default scale of the parameters: about 1 / |beta|, 10 / the least for a zero."""
    size = np.abs(beta)
    if not size.any():
        return np.ones(len(beta))
    low, high = size[size > 0].min(), size.max()
    spread = high >= 10 * low
    known = 1 / np.where(size > 0, size if spread else high, 1)
    return np.where(size > 0, known, 10 / low)


def inverse_condition(J):
    """An estimate of 1 / (|R| |R^-1|) in the 1-norm for J = Q R, with the columns pivoted.

    LINPACK's (Cline, Moler, Stewart & Wilkinson 1979): R^T y = e with the signs of e chosen so
    that y grows, then R z = y; |z| / |y| is a lower bound of |R^-1| that is rarely far off.
    """
    R = qr(J, mode="economic", pivoting=True)[1]
    if np.any(np.diag(R) == 0):
        return 0.0
    y, n = np.zeros(len(R)), len(R)
    for k in range(n):
        choices = []
        for sign in (1.0, -1.0):
            value = (sign - y[k]) / R[k, k]
            choices.append(
                (abs(sign - y[k]) + np.abs(y[k + 1 :] + value * R[k, k + 1 :]).sum(), value)
            )
        value = max(choices, key=lambda choice: choice[0])[1]
        y[k + 1 :] += value * R[k, k + 1 :]
        y[k] = value
    z = solve_triangular(R, y)
    return float(np.abs(y).sum() / np.abs(z).sum() / np.abs(R).sum(0).max())
