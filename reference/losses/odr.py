"""Orthogonal distance regression of a line: errors in both coordinates.

Formula
    r_i = beta_0 (x_i + delta_i) + beta_1 - y_i
    S = sum of (r_i / sy_i)^2 + (delta_i / sx_i)^2
    residuals [r / sy | delta / sx], Jacobian rows [(x_i + delta_i) / sy_i, 1 / sy_i | beta_0 / sy_i
    at delta_i] and [0 | 1 / sx_i at delta_i]
    dbeta = 2 [sum of r (x + delta) / sy^2, sum of r / sy^2]
    ddelta = 2 (beta_0 r / sy^2 + delta / sx^2), dx = 2 beta_0 r / sy^2, dy = -2 r / sy^2
    at the optimum of delta: delta_i = -beta_0 r_i sx^2 / (sy^2 + beta_0^2 sx^2), r_i at delta 0
    covariance of beta: (X^T D X)^-1, X = [x + delta, 1], D = diag 1 / (sy^2 + beta_0^2 sx^2)

Shapes
    beta (2,), delta, x, y, sx, sy (n,); S (); residuals (2 n,), Jacobian (2 n, 2 + n).
    sx and sy are standard deviations in the units of x and y; they are data, without gradient.

Errors
    ValueError: shapes disagree; sx or sy not positive.

Source
    (002) scipy.odr with RealData; Boggs, Byrd and Schnabel (1987)
"""

import numpy as np

from reference.shapes import expect


def forward(beta, delta, x, y, sx, sy):
    """S, a scalar."""
    return np.square(residuals(beta, delta, x, y, sx, sy)).sum()


def vjp(cotangent, beta, delta, x, y, sx, sy):
    """The scalar's gradient: twice the residuals, pulled back."""
    expect(cotangent=(cotangent, ""))
    r = residuals(beta, delta, x, y, sx, sy)
    return residuals_vjp(2 * cotangent * r, beta, delta, x, y, sx, sy)


def residuals(beta, delta, x, y, sx, sy):
    """[r / sy | delta / sx], (2 n,)."""
    _check(beta, delta, x, y, sx, sy)
    return np.concatenate([(beta[0] * (x + delta) + beta[1] - y) / sy, delta / sx])


def residuals_vjp(cotangent, beta, delta, x, y, sx, sy):
    """The Jacobian's transpose times the cotangent, and the gradients of the data x and y."""
    _check(beta, delta, x, y, sx, sy)
    expect(cotangent=(cotangent, f"{2 * len(x)}"))
    from_y, from_x = cotangent[: len(x)] / sy, cotangent[len(x) :] / sx
    return {
        "beta": np.array([from_y @ (x + delta), from_y.sum()]),
        "delta": beta[0] * from_y + from_x,
        "x": beta[0] * from_y,
        "y": -from_y,
    }


def jacobian(beta, delta, x, y, sx, sy):
    """Derivative of the residuals by [beta | delta], (2 n, 2 + n)."""
    _check(beta, delta, x, y, sx, sy)
    by_beta = np.stack([(x + delta) / sy, 1 / sy], axis=1)
    top = np.hstack([by_beta, np.diag(beta[0] / sy)])
    bottom = np.hstack([np.zeros_like(by_beta), np.diag(1 / sx)])
    return np.vstack([top, bottom])


def best_delta(beta, x, y, sx, sy):
    """The delta that minimises S at this beta."""
    _check(beta, x, x, y, sx, sy)
    r = beta[0] * x + beta[1] - y
    return -beta[0] * r * sx**2 / (sy**2 + beta[0] ** 2 * sx**2)


def covariance(beta, delta, x, y, sx, sy):
    """Covariance of beta for sx and sy as given, (2, 2): ODRPACK's, not scaled by S / (n - 2)."""
    J = jacobian(beta, delta, x, y, sx, sy)
    return np.linalg.inv(J.T @ J)[:2, :2]


def _check(beta, delta, x, y, sx, sy):
    expect(x=(x, "n"), y=(y, "n"), delta=(delta, "n"), sx=(sx, "n"), sy=(sy, "n"), beta=(beta, "2"))
    for name, sigma in (("sx", sx), ("sy", sy)):
        if not np.all(sigma > 0):
            raise ValueError(f"{name} holds {np.min(sigma)}: standard deviations are positive")
