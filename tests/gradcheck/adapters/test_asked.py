"""What backwards ask for, by the names of their arguments, and how they are given it."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import adapt, check, constant
from gradcheck.adapters.asked import Asked
from gradcheck.adapters.signatures import arguments
from tests.gradcheck.adapters.objects import RNG

MATRICES = {"x": "n k", "w": "k m"}


def product(x, w):
    return x @ w


def cotangent_first(dout, x, w):
    return dout @ w.T, x.T @ dout


def cotangent_last(x, w, dout):
    return dout @ w.T, x.T @ dout


@pytest.mark.parametrize("backward", [cotangent_first, cotangent_last])
def test_the_cotangent_may_stand_anywhere(backward, at_a_point, blames):
    assert at_a_point((product, backward), MATRICES).passed

    def wrong(x, w, dout):
        return dout @ w.T, 2 * x.T @ dout

    blames((product, wrong), "w", MATRICES)


def test_a_backward_that_takes_the_output(at_a_point, blames):
    assert at_a_point((np.tanh, lambda dout, out: dout * (1 - out**2)), {"x": "n"}).passed
    blames((np.tanh, lambda dout, out: dout * (1 - out)), "x", {"x": "n"})


def drop(x, rate, rng):
    kept = (rng.random(x.shape) >= rate) / (1 - rate)
    return x * kept, kept


def test_a_generator_among_the_arguments_draws_the_same_in_every_call():
    inputs = {"x": "n m", "rate": constant(0.4), "rng": constant(np.random.default_rng(3))}
    state = inputs["rng"].value.bit_generator.state
    report = check((drop, lambda dout, kept: dout * kept), inputs, examples=8, seed=1)
    assert report.passed, str(report)
    assert inputs["rng"].value.bit_generator.state == state
    wrong = check((drop, lambda dout, kept: dout * (kept > 0)), inputs, examples=8, seed=1)
    assert {finding.input for finding in wrong.findings} == {"x"}


@pytest.mark.parametrize(
    ("names", "cotangent", "more", "caches"),
    [
        ("grad", "grad", [], []),
        ("dout cache", "dout", [], ["cache"]),
        ("dout kept", "dout", [], ["kept"]),
        ("d_sine d_square", "d_sine", ["d_square"], []),
        ("dh dc saved", "dh", ["dc"], ["saved"]),
        ("u v", "u", ["v"], []),
        ("output_gradient learning_rate", "output_gradient", [], []),
        ("dy x", "dy", [], []),
        ("x dy", "dy", [], []),
        ("dy y", "dy", [], []),
    ],
)
def test_names_of_arguments(names, cotangent, more, caches):
    made = {}
    exec(f"def backward({', '.join(names.split())}): pass", made)
    asked = Asked(made["backward"], arguments(lambda x: x))
    assert (asked.cotangent, asked.more, asked.caches) == (cotangent, more, caches)


class Named:
    """Outputs in a dict, cotangents in one as well."""

    factor = 2

    def forward(self, x):
        self.x = x
        return {"sine": np.sin(x), "square": x**2}

    def backward(self, grads):
        return grads["sine"] * np.cos(self.x) + grads["square"] * self.factor * self.x


def test_outputs_in_a_dict(at_a_point, blames):
    assert at_a_point(Named(), {"x": "n"}).passed

    class Wrong(Named):
        factor = 1

    blames(Wrong(), "x", {"x": "n"})


class Power:
    def forward(self, x, **options):
        self.x, self.p = x, options.get("p", 2)
        return x**self.p

    def backward(self, grad, **_):
        return grad * self.p * self.x ** (self.p - 1)


def test_options_of_any_name(at_a_point, blames):
    inputs = {"x": "n", "p": constant(3)}
    assert at_a_point(Power(), inputs).passed

    class Wrong(Power):
        def backward(self, grad, **_):
            return grad * 2 * self.x ** (self.p - 1)

    blames(Wrong(), "x", inputs)


class Pairs:
    """Parameters and their gradients in tuples."""

    factor = 1.0

    def __init__(self):
        self.params = [(RNG.standard_normal((3, 2)), np.zeros(2))]

    def forward(self, x):
        self.x = x
        ((W, b),) = self.params
        return x @ W + b

    def backward(self, grad):
        ((W, _),) = self.params
        self.grads = [(self.factor * self.x.T @ grad, grad.sum(0))]
        return grad @ W.T


def test_parameters_in_tuples(at_a_point, blames):
    layer = Pairs()
    report = at_a_point(layer)
    assert report.passed, str(report)
    assert set(report.detectable) == {"x", "params.0.0", "params.0.1"}
    assert type(layer.params[0]) is tuple

    class Wrong(Pairs):
        factor = 2.0

    blames(Wrong(), "params.0.0")


class Private:
    factor = 1.0

    def __init__(self):
        self.__W = RNG.standard_normal((3, 2))

    def forward(self, x):
        self.__x = x
        return x @ self.__W

    def backward(self, grad):
        self.__dW = self.factor * self.__x.T @ grad
        return grad @ self.__W.T


def test_private_names(at_a_point, blames):
    assert list(adapt(Private()).inputs) == ["x", "_Private__W"]
    assert at_a_point(Private()).passed

    class Wrong(Private):
        factor = 2.0

    blames(Wrong(), "_Private__W")
