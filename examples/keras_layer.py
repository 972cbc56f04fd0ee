"""A Keras 3 layer; it is built, copied and run in float64 on the torch or JAX backend.

    gradcheck verify examples.keras_layer:faulty  --inputs "x=batch 4"      # exit status 1
    gradcheck verify examples.keras_layer:correct --inputs "x=batch 4"      # exit status 0

Its weights become inputs, under the names that Keras gives them.
"""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
from keras import ops


class Gate(keras.layers.Layer):
    """x times the sigmoid of a learned scale of x."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def gate(self, x):
        return ops.sigmoid(x * self.scale)

    def call(self, x):
        return x * self.gate(x)


class Stopped(Gate):
    """The same, with no gradient through the gate."""

    def gate(self, x):
        return ops.stop_gradient(super().gate(x))


correct = Gate()
faulty = Stopped()


if __name__ == "__main__":
    from gradcheck import check

    print(check(correct, {"x": "batch 4"}), check(faulty, {"x": "batch 4"}), sep="\n")
