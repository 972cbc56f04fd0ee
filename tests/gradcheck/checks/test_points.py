"""Other points of a case have its shapes, or larger ones, also where the arrays were given."""

from __future__ import annotations

import numpy as np

from gradcheck import Subject, mask
from gradcheck.backends import backend
from gradcheck.case import Case
from gradcheck.checks import points
from gradcheck.evaluation import Evaluator
from gradcheck.examples import Example

INPUTS = {"x": "... rows 3", "keep": mask("rows 3")}


def case(inputs=INPUTS, **numbers):
    subject = Subject("kept", lambda **a: a["x"], lambda u, **a: {"x": u}, inputs)
    numpy = backend("numpy", "cpu")
    return Case(subject, Example((), seed=5), numbers, numpy, Evaluator(subject, numpy))


def test_given_arrays_tell_their_sizes():
    here = case(x=np.zeros((2, 4, 3)), keep=np.ones((4, 3), bool))
    other, generic, larger = (
        point(here) for point in (points.other, points.generic, points.larger)
    )
    assert other.numbers["x"].shape == generic.numbers["x"].shape == (2, 4, 3)
    assert generic.numbers["keep"] is here.numbers["keep"]
    assert len(np.unique(generic.numbers["x"])) == 24
    assert larger.numbers["x"].size > 24
    assert np.array_equal(generic.cotangents[0], here.cotangents[0])


def test_shapes_that_do_not_tell_the_sizes():
    here = case({"x": "2*n"}, x=np.zeros(6))
    assert points.other(here) is points.generic(here) is points.larger(here) is None


def test_nothing_is_larger_than_a_fixed_size():
    assert points.larger(case({"x": "3"}, x=np.zeros(3))) is None
