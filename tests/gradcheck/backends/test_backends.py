"""Every method of the protocol, in every backend of the table, against NumPy's own answer."""

import inspect
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from gradcheck.backends import BACKENDS, backend
from gradcheck.backends.base import Backend

A = np.array([[1.5, -2.0, 0.0], [4.0, 0.25, -3.0]])
B = np.array([[2.0, 1.0, -1.0], [0.5, 8.0, 2.0]])


@pytest.fixture(params=sorted(BACKENDS))
def library(request):
    pytest.importorskip(request.param, reason=f"{request.param} is not installed")
    return backend(request.param)


def test_the_protocol_is_complete(library):
    for name, _ in inspect.getmembers(Backend, inspect.isfunction):
        if not name.startswith("_"):
            assert callable(getattr(library, name)), name


def test_an_unknown_name_is_one_clear_line():
    with pytest.raises(ValueError, match="unknown name 'abacus'"):
        backend("abacus")


def test_torch_is_not_imported_by_the_table():
    code = (
        "import sys, gradcheck.backends as b; b.backend('numpy'); assert 'torch' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.parametrize("values", [A, A + 1j * B, np.array(2.5), np.zeros((0, 3))])
def test_round_trip_and_arithmetic(library, values):
    x = library.from_numpy(values)
    y = library.from_numpy(np.asarray(2 * values + 1))
    assert np.array_equal(library.to_numpy(x), values)
    assert library.shape(x) == values.shape
    assert library.is_inexact(x)
    assert library.is_complex(x) == np.iscomplexobj(values)
    for made, wanted in (
        (library.add_scaled(x, 0.5, y), values + 0.5 * (2 * values + 1)),
        (library.subtract(x, y), -values - 1),
        (library.multiply(x, y), values * (2 * values + 1)),
        (library.combine([2.0, -1.0], [x, y]), -np.ones_like(values)),
        (library.zeros_like(x), 0 * values),
        (library.select(x, y), np.where(values != 0, 2 * values + 1, 0)),
        (library.stack([x, y]), np.stack([values, 2 * values + 1])),
    ):
        assert np.allclose(library.to_numpy(made), wanted)
        assert library.dtype_name(made) == values.dtype.name
    assert library.dot(x, y) == pytest.approx(float(np.vdot(values, 2 * values + 1).real))
    assert library.norm(x) == pytest.approx(float(np.linalg.norm(values)))
    assert library.max_abs(x) == pytest.approx(float(np.abs(values).max(initial=0)))
    assert library.count_nonzero(x) == np.count_nonzero(values)


@pytest.mark.parametrize("unit", [1e-200, 1e200, 5e-324])
def test_norms_outside_the_range_of_squares(library, unit):
    x = library.from_numpy(np.array([3.0, 4.0]) * unit)
    assert library.norm(x) == pytest.approx(5 * unit, rel=1e-12, abs=0)


@pytest.mark.parametrize("size", [0, 1, 40_000])
@pytest.mark.parametrize("unit", [1.0, 1.0 - 2.0j])
def test_the_product_of_two_arrays(library, size, unit):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, size)) * unit
    value, norm = library.product(library.from_numpy(a), library.from_numpy(b))
    assert value == pytest.approx(np.vdot(a, b).real, rel=1e-10)
    assert norm == pytest.approx(np.linalg.norm(a * b), rel=1e-10)


def test_a_nan_is_the_largest_magnitude(library):
    assert math.isnan(library.max_abs(library.from_numpy(np.array([1.0, np.nan, -3.0]))))
    assert library.max_abs(library.from_numpy(np.array([1.0, -np.inf]))) == np.inf


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_random_signs_in_other_units(library, dtype):
    like = library.from_numpy(np.zeros((3, 5), dtype))
    plain, scaled = (library.to_numpy(library.random_signs(like, 3, unit)) for unit in (1.0, 4.0))
    assert scaled.dtype == dtype
    assert np.array_equal(scaled, 4 * plain)


def test_nothing_is_changed_in_place(library):
    x, y = library.from_numpy(A), library.from_numpy(B)
    library.add_scaled(x, 2.0, y)
    library.combine([1.0, 3.0], [x, y])
    library.select(x, y)
    assert np.array_equal(library.to_numpy(x), A)
    assert np.array_equal(library.to_numpy(y), B)


def test_copies_share_no_memory_and_views_do(library):
    x = library.from_numpy(A)
    assert not library.shares_memory(x, library.copy(x))
    assert library.shares_memory(x, x[0])
    assert not library.shares_memory(x[0], x[1])


@pytest.mark.parametrize("values", [np.zeros(10_000), np.zeros(10_000, complex)])
def test_random_signs(library, values):
    like = library.from_numpy(values)
    drawn = library.to_numpy(library.random_signs(like, 7))
    assert np.array_equal(drawn, library.to_numpy(library.random_signs(like, 7)))
    assert not np.array_equal(drawn, library.to_numpy(library.random_signs(like, 8)))
    for part in (drawn.real, drawn.imag) if np.iscomplexobj(drawn) else (drawn,):
        assert np.abs(part).min() >= 0.5
        assert np.abs(part).max() <= 1
        assert abs(np.sign(part).mean()) < 0.05
        assert np.abs(part).mean() == pytest.approx(0.75, abs=0.01)


def test_a_step_along_random_signs_is_exact(library):
    x = library.from_numpy(np.random.default_rng(0).uniform(-4, 4, 1000))
    v = library.random_signs(x, 1)
    moved = library.add_scaled(x, 2.0**-28, v)
    exact = library.to_numpy(library.subtract(moved, x)) / 2.0**-28
    assert np.array_equal(exact, library.to_numpy(v))


def test_layouts_keep_the_numbers(library):
    names = set()
    for name, made in library.layouts(library.from_numpy(A)):
        names.add(name)
        assert np.array_equal(library.to_numpy(made), A), name
    assert {"strided", "offset"} <= names
    assert len(names) >= 4


def test_equal_means_shape_dtype_and_bits(library):
    x = library.from_numpy(A)
    nan = library.from_numpy(np.array([np.nan, 0.0]))
    assert library.equal(x, library.copy(x))
    assert library.equal(nan, library.from_numpy(np.array([np.nan, -0.0])))
    assert not library.equal(x, library.cast(x, "float32"))
    assert not library.equal(x, x[:1])
    assert not library.equal(x, library.combine([1 + 2.0**-52], [x]))


def test_cast_keeps_complex_complex(library):
    assert library.dtype_name(library.cast(library.from_numpy(A), "float32")) == "float32"
    z = library.from_numpy(A + 1j)
    assert library.dtype_name(library.cast(z, "float32")) == "complex64"


def test_numpy_has_no_bfloat16():
    with pytest.raises(ValueError, match="bfloat16"):
        backend("numpy").cast(A, "bfloat16")


def test_numpy_has_no_device():
    with pytest.raises(ValueError, match="'cuda'"):
        backend("numpy", "cuda")
