"""Scalars are 0-d arrays everywhere: NumPy's own scalar types never reach a subject."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, array, check
from gradcheck.inputs import as_inputs
from gradcheck.values import STYLES, Fill, fill


@pytest.mark.parametrize("style", STYLES)
def test_a_filled_scalar_is_an_array(style):
    item = as_inputs({"x": array("", low=-2, high=2)}, "scalar")["x"]
    assert isinstance(fill(item, Fill(style, 0, 3), {}, ()), np.ndarray)


def test_a_scalar_input_and_a_python_float_output_are_verified():
    square = Subject("square", lambda x: float(x * x), lambda u, x: {"x": 2 * u * x}, {"x": ""})
    report = check(square, seed=1)
    assert report.passed, str(report)


def test_a_torch_function_of_a_scalar_is_verified():
    torch = pytest.importorskip("torch", reason="the extra 'torch' is not installed")
    report = check(torch.sin, {"x": ""}, seed=1)
    assert report.passed, str(report)
