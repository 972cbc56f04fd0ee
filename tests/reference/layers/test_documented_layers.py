"""What holds for every documented layer: its VJP, its dtypes, its manners."""

import importlib

import numpy as np
import pytest

from reference.layers import LAYERS
from tests.reference.layers.cases import CASES, inputs_of
from tests.reference.layers.pairing import as_tuple, cotangent_of, mismatch


@pytest.mark.parametrize("name", CASES)
def test_vjp_is_the_derivative(name):
    (forward, vjp), shapes = CASES[name]
    inputs = inputs_of(name)
    assert mismatch(forward, vjp, inputs) < 1e-8
    gradients = vjp(cotangent_of(forward(**inputs), np.random.default_rng(1)), **inputs)
    assert {key: np.shape(value) for key, value in gradients.items()} == shapes


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_vjp_is_seen(name):
    (forward, vjp), _ = CASES[name]

    def slightly_wrong(cotangent, **inputs):
        return {key: 1.001 * value for key, value in vjp(cotangent, **inputs).items()}

    assert mismatch(forward, slightly_wrong, inputs_of(name)) > 1e-5


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name):
    (forward, vjp), _ = CASES[name]
    inputs = inputs_of(name, np.float32)
    outputs = forward(**inputs)
    assert {y.dtype for y in as_tuple(outputs)} == {np.dtype(np.float32)}
    gradients = vjp(cotangent_of(outputs, np.random.default_rng(1)), **inputs)
    assert {key: np.asarray(value).dtype for key, value in gradients.items()} == dict.fromkeys(
        inputs, np.dtype(np.float32)
    )


@pytest.mark.parametrize("name", CASES)
def test_arguments_are_left_alone_and_nothing_is_shared(name):
    (forward, vjp), _ = CASES[name]
    inputs = inputs_of(name)
    kept = {key: value.copy() for key, value in inputs.items()}
    outputs = forward(**inputs)
    cotangent = cotangent_of(outputs, np.random.default_rng(1))
    gradients = vjp(cotangent, **inputs)
    given = [*inputs.values(), *as_tuple(cotangent)]
    made = [*as_tuple(outputs), *map(np.asarray, gradients.values())]
    assert not any(np.shares_memory(a, b) for a in given for b in made)
    for key, value in inputs.items():
        np.testing.assert_array_equal(value, kept[key])


@pytest.mark.parametrize("name", CASES)
def test_a_cotangent_of_another_shape_is_an_error(name):
    (forward, vjp), _ = CASES[name]
    inputs = inputs_of(name)
    longer = tuple(np.ones((*y.shape, 1)) for y in as_tuple(forward(**inputs)))
    with pytest.raises(ValueError, match="shape"):
        vjp(longer if isinstance(forward(**inputs), tuple) else longer[0], **inputs)


@pytest.mark.parametrize("name", sorted({name.split(",")[0].split()[0] for name in CASES}))
def test_every_documented_layer_is_listed_and_says_its_maths(name):
    assert name in LAYERS
    words = importlib.import_module(f"reference.layers.{name}").__doc__.splitlines()
    for heading in ("Formula", "Shapes", "Errors", "Source"):
        assert heading in words
