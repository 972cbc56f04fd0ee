"""Keras 3 layers on the torch backend."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import UsageError, adapt

keras = pytest.importorskip(
    "keras", reason="the keras extra is not installed", exc_type=ImportError
)
if keras.backend.backend() != "torch":
    pytest.skip("keras is running on another backend", allow_module_level=True)


class Gate(keras.layers.Layer):
    def __init__(self, stop=False, **options):
        super().__init__(**options)
        self.stop = stop

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, x):
        gate = keras.ops.sigmoid(x * self.scale)
        return x * (keras.ops.stop_gradient(gate) if self.stop else gate)

    def get_config(self):
        return {**super().get_config(), "stop": self.stop}


def test_a_right_layer_passes_and_a_stopped_gradient_is_laid_at_its_inputs(at_a_point, blames):
    assert at_a_point(Gate(), {"x": "batch 4"}).passed
    blames(Gate(stop=True), "x", {"x": "batch 4"})
    blames(Gate(stop=True), "scale", {"x": "batch 4"})


@pytest.mark.parametrize(
    ("layer", "inputs", "names"),
    [
        (keras.layers.Dense(4), "batch 3", ["x", "kernel", "bias"]),
        (keras.layers.LayerNormalization(), "batch 3", ["x", "gamma", "beta"]),
        (keras.layers.LSTM(2), "batch time 3", ["x", "lstm_cell.kernel"]),
    ],
    ids=lambda v: type(v).__name__,
)
def test_layers_and_their_weights(layer, inputs, names, at_a_point):
    subject = adapt(layer, {"x": inputs})
    assert list(subject.inputs)[: len(names)] == names
    assert at_a_point(subject).passed


def test_a_built_layer_pins_its_sizes_and_is_left_as_it_was(at_a_point):
    layer = keras.layers.Dense(4)
    layer(np.zeros((2, 3)))
    before = [np.copy(w) for w in layer.get_weights()]
    subject = adapt(layer, {"x": "batch features"})
    assert subject.dims == {"features": (3, 3)}
    assert at_a_point(subject).passed
    assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), before, strict=True))
    assert layer.dtype_policy.name == "float32"


def test_training_is_an_option(at_a_point):
    assert at_a_point(keras.layers.BatchNormalization(), {"x": "batch 3"}, train=True).passed
    subject = adapt(keras.layers.Dropout(0.5), {"x": "batch 3"}, train=True)
    assert "stochastic" in subject.traits


def test_bad_use():
    with pytest.raises(UsageError, match="no place for input 'y'"):
        adapt(keras.layers.Dense(4), {"x": "batch 3", "y": "3", "z": "3"})
