"""Many small networks at once: their parameters in one array, so that a step is a few calls.

A training step on one sample is so small that the cost is the number of NumPy calls. All
parameters of a network lie in one vector, with named views into it, and networks that differ only
by their seed lie under one leading axis.
"""

import math

import numpy as np

from reference import shapes
from reference.optimizers import arguments


class Parameters:
    """Vectors (seeds, size) with a view (seeds, *shape) for every name of `layout`."""

    def __init__(self, layout, arrays, dtype):
        """layout: shape by name. arrays: by name, each (seeds, *shape)."""
        if arrays.keys() != layout.keys():
            raise ValueError(f"weights are {sorted(arrays)}: {sorted(layout)} are needed")
        for name, shape in layout.items():
            shapes.expect(**{name: (arrays[name], " ".join(map(str, ("seeds", *shape))))})
        ends = np.cumsum([math.prod(shape) for shape in layout.values()]).tolist()
        starts = [0, *ends[:-1]]
        self.spans = [
            (name, slice(*span), (-1, *layout[name]))
            for name, *span in zip(layout, starts, ends, strict=True)
        ]
        parts = [np.asarray(arrays[name]).reshape(len(arrays[name]), -1) for name in layout]
        self.vector = np.concatenate(parts, axis=1).astype(dtype)
        self.view = self.views(self.vector)

    def views(self, vector):
        """Named views into a vector of this layout."""
        return {name: vector[:, span].reshape(shape) for name, span, shape in self.spans}


class RMSprop:
    """`optimizers.rmsprop` on such vectors, in place: the same numbers without new arrays."""

    def __init__(self, like, lr=0.001, rho=0.9, epsilon=1e-7, epsilon_at="outside"):
        """like: the vectors it will move."""
        shapes.one_of("epsilon_at", epsilon_at, ("outside", "inside"))
        dtype = like.dtype
        self.lr = arguments.rate("lr", lr, dtype)
        self.rho = arguments.fraction("rho", rho, dtype)
        self.epsilon = arguments.rate("epsilon", epsilon, dtype)
        self.inside = epsilon_at == "inside"
        self.mean_square = np.zeros_like(like)
        self.work = np.zeros_like(like)

    def move(self, gradient):
        """The step lr g / root for this gradient, in a buffer that the next call overwrites."""
        work, v = self.work, self.mean_square
        np.multiply(gradient, gradient, out=work)
        work *= 1 - self.rho
        v *= self.rho
        v += work
        if self.inside:
            np.sqrt(np.add(v, self.epsilon, out=work), out=work)
        else:
            np.add(np.sqrt(v, out=work), self.epsilon, out=work)
        np.divide(gradient, work, out=work)
        work *= self.lr
        return work


def glorot(layout, seeds):
    """Glorot kernels and zero biases by name, each (seeds, *shape), from RandomState(seed) each.

    A layout's matrices are kernels, drawn in its order; its vectors are biases.
    """
    if not len(seeds):
        raise ValueError("seeds is empty: at least one is needed")
    drawn = []
    for seed in seeds:
        random = np.random.RandomState(seed)
        drawn.append({name: _draw(random, shape) for name, shape in layout.items()})
    return {name: np.stack([one[name] for one in drawn]) for name in layout}


def _draw(random, shape):
    if len(shape) == 1:
        return np.zeros(shape)
    limit = np.sqrt(6 / sum(shape))
    return random.uniform(-limit, limit, shape)
