"""Keras 3 layers on the torch backend."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import UsageError, adapt, array

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


@pytest.mark.parametrize("factor", [1, 0.5])
def test_hooks_on_its_weights_are_run(factor, at_a_point):
    layer = keras.layers.Dense(4)
    layer.build((None, 3))
    layer.kernel.value.register_hook(lambda g: g * factor)
    layer.bias.value.register_post_accumulate_grad_hook(lambda p: p.grad.mul_(factor))
    report = at_a_point(layer, {"x": "batch 3"})
    assert report.passed == (factor == 1)
    assert {f.input for f in report.findings} == ({"kernel", "bias"} if factor != 1 else set())


def unserialisable(stop):
    """A layer that Keras can neither make from a configuration nor find by a name."""

    class Recurrent(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.cell = keras.layers.GRUCell(3)
            self.after = [keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(2)]
            self.scale = self.add_weight(shape=(2,), initializer="ones", name="scale")

        def call(self, x):
            h = keras.ops.zeros((x.shape[0], 3), dtype=x.dtype)
            for t in range(x.shape[1]):
                cut = stop and t == 1
                h, _ = self.cell(x[:, t], [keras.ops.stop_gradient(h) if cut else h])
            for layer in self.after:
                h = layer(h)
            return h * self.scale

    return Recurrent()


@pytest.mark.parametrize("built", [False, True])
def test_a_layer_without_a_configuration_is_copied_member_by_member(built, at_a_point, blames):
    right, wrong = unserialisable(stop=False), unserialisable(stop=True)
    if built:
        right(np.zeros((1, 3, 2))), wrong(np.zeros((1, 3, 2)))
    count = len(right.weights)
    assert at_a_point(right, {"x": "batch 3 2"}).passed
    blames(wrong, "x", {"x": "batch 3 2"})
    assert right.built == built
    assert len(right.weights) == count
    assert all(str(weight.dtype) == "float32" for weight in right.weights)


def test_training_is_an_option(at_a_point):
    assert at_a_point(keras.layers.BatchNormalization(), {"x": "batch 3"}, train=True).passed
    subject = adapt(keras.layers.Dropout(0.5), {"x": "batch 3"}, train=True)
    assert "stochastic" in subject.traits


def test_bad_use():
    with pytest.raises(UsageError, match="no place for input 'y'"):
        adapt(keras.layers.Dense(4), {"x": "batch 3", "y": "3", "z": "3"})


def negative(x):
    return -keras.ops.tanh(x)


def stopped(x):
    return x * keras.ops.stop_gradient(keras.ops.sigmoid(x))


def functional(activation, stop=False):
    given = keras.Input((3,))
    hidden = Gate(stop)(keras.layers.Dense(4, activation=activation)(given))
    return keras.Model(given, keras.layers.Dense(2)(hidden))


def sequential(activation):
    layers = [keras.layers.Dense(4, activation=activation), keras.layers.LayerNormalization()]
    return keras.Sequential([keras.Input((3,)), *layers])


def test_models_with_code_of_the_user_s_are_copied_to_float64(at_a_point, blames):
    report = at_a_point(functional(negative), {"x": "batch 3"})
    assert report.passed, str(report)
    kernels = [name for name in report.detectable if name.endswith("kernel")]
    assert len(set(kernels)) == 2
    blames(functional(negative, stop=True), "x", {"x": "batch 3"})
    report = at_a_point(sequential("gelu"), {"x": "batch 3"})
    assert report.passed, str(report)
    blames(sequential(stopped), "x", {"x": "batch 3"})


def test_an_activation_of_the_user_s(at_a_point, blames):
    assert at_a_point(keras.layers.Dense(4, activation=negative), {"x": "batch 3"}).passed
    blames(keras.layers.Dense(4, activation=stopped), "kernel", {"x": "batch 3"})


def test_other_arguments_of_call_are_given_by_name(at_a_point):
    class Scaled(Gate):
        def call(self, x, factor=2.0):
            return factor * super().call(x)

    report = at_a_point(Scaled(), {"x": "batch 3", "factor": 3.0})
    assert report.passed, str(report)


def test_a_loss_computes_in_float64(at_a_point):
    inputs = {"y_true": array("batch n", differentiable=False), "y_pred": "batch n"}
    report = at_a_point(keras.losses.LogCosh(), inputs)
    assert report.passed, str(report)
    assert report.detectable["y_pred"] < 1e-7


def test_inputs_that_call_does_not_take_are_said_in_one_line():
    class Pair(Gate):
        def call(self, inputs):
            first, second = inputs
            return first * second

        def build(self, shape):
            pass

    with pytest.raises(UsageError, match=r"Pair: call raised .* at inputs of shapes inputs: \(3, "):
        adapt(Pair(), {"inputs": "batch 4"})
