"""Mistakes in elementwise layers."""

import numpy as np
from scipy.special import expit, ndtr

from reference.layers import elu, gelu_tanh
from suites.test_users_activations import SUBJECTS
from tests.faults.users.planted import Planter

plant = Planter(SUBJECTS)


def slope(derivative):
    """A vjp of an elementwise layer: the cotangent times derivative(x, **constants)."""
    return lambda right, g, x, **constants: {"x": g * derivative(x, **constants)}


def tanh_of_softplus(x):
    return np.tanh(np.logaddexp(0, x))


def without_three(x):
    u = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    s = expit(2 * u)
    return s + x * s * expit(-2 * u) * 2 * np.sqrt(2 / np.pi) * (1 + 0.044715 * x**2)


FAULTS = [
    plant(
        "elu: alpha forgotten",
        "elu-steep",
        "x",
        slope(lambda x, alpha: np.where(x > 0, 1, np.exp(np.minimum(x, 0)))),
        "leaves `alpha` out",
    ),
    plant(
        "selu: scale forgotten",
        "selu",
        "x",
        lambda right, g, x: elu.vjp(g, x, alpha=1.6732632423543772),
        "scaled",
    ),
    plant("gelu: path through Phi missing", "gelu", "x", slope(ndtr), "product rule"),
    plant("gelu: derivative of the tanh form", "gelu", "x", lambda r, g, x: gelu_tanh.vjp(g, x)),
    plant(
        "gelu_tanh: 3 forgotten in the cubic's derivative",
        "gelu_tanh",
        "x",
        slope(without_three),
    ),
    plant(
        "softplus: beta twice",
        "softplus-sharp",
        "x",
        slope(lambda x, beta: beta * expit(beta * x)),
        "scaled",
        "3",
    ),
    plant(
        "softplus: derivative at the output",
        "softplus",
        "x",
        slope(lambda x: expit(np.logaddexp(0, x))),
        "at the output",
    ),
    plant("swish: path through the gate missing", "swish", "x", slope(expit), "product rule"),
    plant(
        "swish: beta forgotten",
        "swish-beta",
        "x",
        slope(lambda x, beta: expit(beta * x) * (1 + x * expit(-beta * x))),
    ),
    plant(
        "mish: softplus taken for the identity",
        "mish",
        "x",
        slope(lambda x: tanh_of_softplus(x) + x * (1 - tanh_of_softplus(x) ** 2)),
    ),
    plant("log_sigmoid: s(x) for s(-x)", "log_sigmoid", "x", slope(expit), "derivative"),
    plant(
        "hardtanh: closed ends",
        "hardtanh",
        "x",
        slope(lambda x: (x >= -1) & (x <= 1)),
        "convention",
        keep_twin=True,
    ),
    plant("relu6: no upper end", "relu6", "x", slope(lambda x: x > 0), "derivative"),
    plant(
        "hardsigmoid: 1/6 forgotten", "hardsigmoid", "x", slope(lambda x: np.abs(x) < 3), "scaled"
    ),
    plant(
        "hardswish: x + 3 for 2 x + 3",
        "hardswish",
        "x",
        slope(lambda x: np.where(x <= -3, 0, np.where(x >= 3, 1, (x + 3) / 6))),
    ),
    plant("softshrink: negative side forgotten", "softshrink", "x", slope(lambda x: x > 0.5)),
    plant("hardshrink: complement", "hardshrink", "x", slope(lambda x: np.abs(x) <= 0.5)),
    plant("threshold: 0 for theta", "threshold-jump", "x", slope(lambda x, theta, value: x > 0)),
]
