"""A cascade of components on column vectors, trained fact by fact, in place. Source: (003).

Each component maps x to y and, from the gradient at y, returns the gradient at x and moves its own
parameters. E = e.e / 2 with e = y - target. The learning rate alpha is folded into the gradient
at the output: backpropagation is linear, so every component then sees alpha dE/dy and subtracts
what it computes. That would not do for an update that is not linear in the gradient (RMSprop,
Adam, clipping).

dx = M^T g, with M before its update; with the updated M it would be off by -|g|^2 x, exactly.
"""

from dataclasses import replace

import numpy as np

from reference import shapes
from reference.layers import affine, elementwise_map
from reference.losses import mse
from reference.schemes.step import Step


class Identity:
    """Passes both ways."""

    weights = {}  # noqa: RUF012

    def forward(self, x):
        """Output x."""
        return x

    def gradient(self, g, x):
        """(gradient at x, {})."""
        return g, {}

    def backprop(self, g, x):
        """The gradient at x."""
        return g


class Map(Identity):
    """y_i = f(x_i), with f' given beside it; both take and return arrays."""

    def __init__(self, function, derivative):
        """function, derivative: on arrays; a function of one number through np.vectorize with
        otypes=[float]."""
        self.pair = {"function": function, "derivative": derivative}

    def forward(self, x):
        """Output f(x)."""
        return elementwise_map.forward(x, **self.pair)

    def gradient(self, g, x):
        """(f'(x) g, {})."""
        return elementwise_map.vjp(g, x, **self.pair)["x"], {}

    def backprop(self, g, x):
        """f'(x) g."""
        return self.gradient(g, x)[0]


class Affinity:
    """y = M x + b with M (m, n) and b (m,), kept as float64 and updated in place."""

    def __init__(self, M, b):
        """M, b: copied. Raises ValueError where their shapes disagree."""
        M, b = np.array(M, dtype=float), np.array(b, dtype=float)
        shapes.expect(M=(M, "m n"), b=(b, "m"))
        self.weights = {"M": M, "b": b}

    @classmethod
    def drawn(cls, n, m, random):
        """N(0, 1) entries from a RandomState, M before b."""
        return cls(random.randn(m, n), random.randn(m))

    def forward(self, x):
        """Output M x + b."""
        return affine.forward(x, **self.weights)

    def gradient(self, g, x):
        """(M^T g, {"M": g x^T, "b": g})."""
        pulled = affine.vjp(g, x, **self.weights)
        return pulled.pop("x"), pulled

    def backprop(self, g, x):
        """Subtract the parameters' gradients in place and return M^T g, with the old M."""
        dx, own = self.gradient(g, x)
        for name, value in own.items():
            self.weights[name] -= value
        return dx


class Network:
    """Components in a row, with a learning rate alpha."""

    def __init__(self, layers, alpha=0.1):
        """alpha: not negative."""
        shapes.at_least("alpha", alpha, 0)
        self.layers, self.alpha = list(layers), alpha

    def __call__(self, x):
        """The cascade's output."""
        return self._trace(x)[-1]

    @property
    def weights(self):
        """Copies of all parameters by name, M1, b1 for those of the first layer."""
        return {
            f"{name}{k}": value.copy()
            for k, layer in enumerate(self.layers, 1)
            for name, value in layer.weights.items()
        }

    def loss_and_gradient(self, x, target):
        """E and dE/dw by name, nothing changed."""
        trace, gradient = self._trace(x), {}
        loss, g = _loss(trace[-1], target)
        for k, layer in reversed(list(enumerate(self.layers, 1))):
            g, own = layer.gradient(g, trace[k - 1])
            gradient |= {f"{name}{k}": value for name, value in own.items()}
        return loss, gradient

    def learn(self, facts, *, watchful=True):
        """Steps, one a fact (x, target); the loss is the one before the update.

        The last one says "limit"; or "diverged", at the first number that is not finite, unless
        the run is not watchful: the notebook's goes on and ends in NaN.
        Raises ValueError where there is no fact, TypeError where parameters are not floating.
        """
        facts = iter(facts)
        following = next(facts, None)
        if following is None:
            raise ValueError("facts is empty: there is no loss to return")
        number = 0
        while following is not None:
            number += 1
            (x, target), following = following, next(facts, None)
            before = self.weights
            with np.errstate(over="ignore", invalid="ignore"):
                loss, gradient = self.loss_and_gradient(x, target)
                self._backprop(x, target)
            step = Step(number, before, gradient, loss, self.weights, (x, target))
            diverged = watchful and not step.finite()
            reason = "diverged" if diverged else None if following is not None else "limit"
            yield replace(step, stopped=reason)
            if diverged:
                return

    def _backprop(self, x, target):
        trace = self._trace(x)
        g = self.alpha * _loss(trace[-1], target)[1]
        for layer, at in zip(reversed(self.layers), reversed(trace[:-1]), strict=True):
            g = layer.backprop(g, at)

    def _trace(self, x):
        trace = [np.asarray(x)]
        for layer in self.layers:
            trace.append(layer.forward(trace[-1]))
        return trace


def _loss(y, target):
    target = np.asarray(target)
    return mse.forward(y, target, form="half sum"), mse.vjp(1.0, y, target, form="half sum")[
        "prediction"
    ]
