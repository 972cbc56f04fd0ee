"""The component network's bench: a fixed stream of facts, checkpoints, learning potential. (003).

The document's bench rolls back by binding its `net` to an unpickled copy, so the notebook's own
`net` is never trained and stays as it was; that, not the learning, is the problem its author saw.
Here a rollback copies the parameters back into the very same objects.
"""

import math

import numpy as np
from scipy.ndimage import gaussian_filter

from reference import shapes
from reference.schemes import step


class Bench:
    """Facts for a network of two inputs: v from N(0, 1)^2 and ideal(v), always the same stream."""

    def __init__(self, network, ideal=lambda v: v, seed=3):
        """ideal: from a vector (2,) to the wanted output. seed: of the stream of vectors."""
        self.network, self.ideal, self.seed = network, ideal, seed
        self.saved = self._state()

    def facts(self, n):
        """The first n facts. The global random state is not touched."""
        shapes.at_least("n", n, 1)
        stream = np.random.RandomState(self.seed)
        for _ in range(n):
            v = stream.randn(2)
            yield v, np.asarray(self.ideal(v), dtype=float)

    def checkpoint(self):
        """Remember layers, parameters and alpha."""
        self.saved = self._state()

    def rollback(self):
        """Back to the checkpoint, in the same objects: whoever holds the network sees it too."""
        self._restore(self.saved)

    def learn(self, n=100, *, watchful=True):
        """Steps of the network over n facts; all n, whatever the numbers, unless `watchful`."""
        return self.network.learn(self.facts(n), watchful=watchful)

    def learning_potential(self, n=100, alpha=None):
        """-ln of the last fact's loss after n facts; the network is left as it was.

        inf for a loss of exactly zero, nan where it overflowed. alpha: for this run only.
        """
        state = self._state()
        if alpha is not None:
            self.network.alpha = alpha
        loss = step.last(self.learn(n, watchful=False)).loss
        self._restore(state)
        return math.inf if loss == 0 else -float(np.log(loss))

    def curve(self, n=100, alpha=None, smooth=0.0):
        """The n losses under alpha, smoothed by a Gaussian of `smooth` facts; 3 is the document's.

        The network is left as it was.
        """
        state = self._state()
        self.network.alpha = self.network.alpha if alpha is None else alpha
        losses = np.array([s.loss for s in self.learn(n, watchful=False)])
        self._restore(state)
        return gaussian_filter(losses, smooth) if smooth else losses

    def _state(self):
        layers = list(self.network.layers)
        weights = [{k: w.copy() for k, w in layer.weights.items()} for layer in layers]
        return layers, weights, self.network.alpha

    def _restore(self, state):
        layers, weights, self.network.alpha = state
        self.network.layers[:] = layers
        for layer, saved in zip(layers, weights, strict=True):
            for name, value in saved.items():
                layer.weights[name][...] = value


def slider(s):
    """The document's learning rate at slider position s in [0, 1]: 2^(-1.005 / (s + 0.005))."""
    shapes.in_range("s", s, 0, 1)
    return 2 ** (-1.005 / (s + 0.005))


def sensitivity(facts, alpha):
    """The vector c (3,) that takes the first error of an affine network to its last one.

    For an affine ideal A v + d the last fact's error is (M0 - A | b0 - d) c.

    Each fact multiplies the error matrix by I - alpha x~ x~^T with x~ = (x, 1).
    """
    extended = [np.append(x, 1.0) for x, _ in facts]
    c = extended[-1]
    for x in reversed(extended[:-1]):
        c = c - alpha * x * (x @ c)
    return c
