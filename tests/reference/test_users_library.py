"""What holds for every layer and loss that users plug in: its VJP, its dtypes, its manners."""

import importlib
from functools import partial

import numpy as np
import pytest

from reference.layers import LAYERS
from reference.losses import LOSSES
from tests.reference.layers.pairing import as_tuple, mismatch
from tests.reference.users_cases import CASES

HEADINGS = ("Formula", "Shapes", "Errors", "Source")


def functions(name):
    """Forward and vjp with data and options bound; gradients of the others by name."""
    module, inputs, options = CASES[name]
    return partial(module.forward, **options), partial(module.vjp, **options), inputs


def cotangent_of(outputs, seed=1):
    """Random cotangents, None for an output of integers."""
    rng = np.random.default_rng(seed)
    drawn = tuple(
        None if y.dtype.kind == "i" else np.asarray(rng.standard_normal(y.shape), y.dtype)
        for y in as_tuple(outputs)
    )
    return drawn if isinstance(outputs, tuple) else drawn[0]


def floats_only(forward, vjp):
    """A layer whose outputs of integers are left out."""

    def real(outputs):
        kept = tuple(y for y in as_tuple(outputs) if y.dtype.kind == "f")
        return kept if isinstance(outputs, tuple) else kept[0]

    def padded(cotangent, **inputs):
        kinds = [y.dtype.kind for y in as_tuple(forward(**inputs))]
        given = iter(as_tuple(cotangent))
        whole = tuple(next(given) if kind == "f" else None for kind in kinds)
        return vjp(whole if isinstance(cotangent, tuple) else whole[0], **inputs)

    return lambda **inputs: real(forward(**inputs)), padded


@pytest.mark.parametrize("name", CASES)
def test_vjp_is_the_derivative(name):
    forward, vjp, inputs = functions(name)
    assert mismatch(*floats_only(forward, vjp), inputs) < 1e-7
    gradients = vjp(cotangent_of(forward(**inputs)), **inputs)
    assert {key: value.shape for key, value in gradients.items()} == {
        key: value.shape for key, value in inputs.items()
    }


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_vjp_is_seen(name):
    forward, vjp, inputs = functions(name)

    def slightly_wrong(cotangent, **inputs):
        return {key: 1.01 * value for key, value in vjp(cotangent, **inputs).items()}

    assert mismatch(*floats_only(forward, slightly_wrong), inputs) > 1e-5


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name):
    module, inputs, options = CASES[name]
    low = {key: value.astype(np.float32) for key, value in inputs.items()}
    data = {key: _low(value) for key, value in options.items()}
    outputs = module.forward(**low, **data)
    assert {y.dtype for y in as_tuple(outputs)} - {np.dtype(np.int64)} == {np.dtype(np.float32)}
    gradients = module.vjp(cotangent_of(outputs), **low, **data)
    assert {value.dtype for value in gradients.values()} == {np.dtype(np.float32)}


def _low(value):
    real = isinstance(value, np.ndarray) and value.dtype == np.float64
    return value.astype(np.float32) if real else value


@pytest.mark.parametrize("name", CASES)
def test_arguments_are_left_alone_and_nothing_is_shared(name):
    forward, vjp, inputs = functions(name)
    kept = {key: value.copy() for key, value in inputs.items()}
    outputs = forward(**inputs)
    cotangent = cotangent_of(outputs)
    gradients = list(vjp(cotangent, **inputs).values())
    given = [*inputs.values(), *(c for c in as_tuple(cotangent) if c is not None)]
    made = [*map(np.asarray, as_tuple(outputs)), *gradients]
    assert not any(np.shares_memory(a, b) for a in given for b in made)
    assert not any(np.shares_memory(a, b) for a in gradients for b in gradients if a is not b)
    for key, value in inputs.items():
        np.testing.assert_array_equal(value, kept[key])


@pytest.mark.parametrize("name", CASES)
def test_a_cotangent_of_another_shape_is_an_error(name):
    forward, vjp, inputs = functions(name)
    outputs = forward(**inputs)
    longer = tuple(np.ones((*y.shape, 1)) for y in as_tuple(outputs))
    with pytest.raises(ValueError, match="shape"):
        vjp(longer if isinstance(outputs, tuple) else longer[0], **inputs)


@pytest.mark.parametrize("name", CASES)
def test_it_is_listed_and_says_its_maths(name):
    assert name in LAYERS or name in LOSSES
    module = CASES[name][0]
    words = importlib.import_module(module.__name__).__doc__.splitlines()
    assert [heading for heading in HEADINGS if heading not in words] == []
