"""One weight, no bias: p = x w, L = mean (p - y)^2, dL/dw = 2 mean((p - y) x). Source: (001).

`gradient_descent` uses all the data in every step and stops when the weight stands still;
`sgd` uses one sample a step and stops by a rule on the loss, of which the document writes one
form and runs another.

Laws: for x = y, w_T - 1 = (w_0 - 1) prod (1 - 2 lr x_t^2); on x = y = (1, 2) with lr 0.1 the
weights are 1 + 2^-t and the losses 2.5 4^-t, exactly. SGD on 1 .. 1999 with lr 0.001 diverges
whenever the sample is 32 or more.
"""

import numpy as np

from reference import shapes
from reference.layers import scalar_weight
from reference.losses import mse
from reference.schemes import descent, stop
from reference.schemes.stop import Rule

DESCENT_RULES = {
    "written": Rule(stop.weight_change, 0.1),
    "implemented": Rule(stop.weight_change, 0.1),
    "intended": Rule(stop.weight_change, 0.1, watchful=True),
}
SGD_RULES = {
    "written": Rule(stop.loss_against_itself, 0.1),
    "implemented": Rule(stop.loss_itself, 0.1, limit=30),
    "intended": Rule(stop.loss_change, 0.1, watchful=True),
}
MINMAX_RULES = {
    "written": Rule(stop.loss_against_itself, 0.1),
    "implemented": Rule(stop.loss_itself, 1e-4),
    "intended": Rule(stop.loss_change, 1e-4, watchful=True),
}


def loss_and_gradient(weights, x, y):
    """Loss and {"w": dL/dw} at {"w": w} for x and y of one shape, "samples".

    Raises ValueError where x and y have different shapes or no sample.
    """
    shapes.expect(x=(x, "samples"), y=(y, "samples"))
    p = scalar_weight.forward(x, weights["w"])
    dp = mse.vjp(1.0, p, y)["prediction"]
    return mse.forward(p, y), {"w": scalar_weight.vjp(dp, x, weights["w"])["w"]}


def gradient_descent(x, y, w=2.0, *, lr=0.1, stop="intended", rules=DESCENT_RULES):
    """Steps of full-batch descent from `w`, in the dtype of x.

    The document's NumPy loop logs a loss before it tests, so it has one more than there are
    steps: the loss at the last weights.
    """
    weights = {"w": np.asarray(x).dtype.type(w)}
    rule = _rule(stop, rules)
    return descent.descend(
        lambda weights, _: loss_and_gradient(weights, x, y), weights, _forever(), rule, lr=lr
    )


def sgd(x, y, samples, w=2.0, *, lr=0.001, stop="intended", rules=SGD_RULES):
    """Steps on one sample each, in the order of the indices `samples`, in the dtype of x."""
    descent.rows("x", x)
    shapes.expect(x=(x, "samples"), y=(y, "samples"))
    weights = {"w": x.dtype.type(w)}
    rule = _rule(stop, rules)

    def objective(weights, i):
        return loss_and_gradient(weights, x[i : i + 1], y[i : i + 1])

    return descent.descend(objective, weights, samples, rule, lr=lr)


def _rule(word, rules):
    return stop.pick(word, rules)


def _forever():
    while True:
        yield None
