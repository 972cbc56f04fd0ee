"""NumPy objects in every usual shape: the right one passes, a fault is laid at its input."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import UsageError, adapt, array, check
from tests.gradcheck.adapters import objects
from tests.gradcheck.adapters.objects import EVERY, STORING, Stores


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_right_objects_pass(kind, at_a_point):
    report = at_a_point(kind())
    assert report.passed, str(report)


@pytest.mark.parametrize("kind", STORING, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(("position", "name"), [(0, "x"), (1, "W"), (2, "b")])
def test_a_wrong_gradient_is_laid_at_its_input(kind, position, name, blames):
    class Wrong(kind):
        def gradients(self, grad):
            found = list(super().gradients(grad))
            found[position] = 1.01 * found[position]
            return tuple(found)

    blames(Wrong(), name)


def test_generated_examples_too():
    report = check(Stores(), examples=8, seed=1)
    assert report.passed, str(report)
    assert report.examples >= 4


@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (1, 1)])
def test_shapes_are_found_from_the_weights(shape):
    subject = adapt(Stores(*shape))
    assert subject.inputs["x"].shape.text == f"batch {shape[0]}"
    assert subject.inputs["W"].shape.text == f"{shape[0]} {shape[1]}"


def test_columns_are_told_from_rows():
    assert adapt(objects.ScaledBefore(3, 4)).inputs["x"].shape.text == "3"


def test_a_declared_size_that_fits_once_is_pinned():
    assert adapt(Stores(3, 4), {"x": "batch features"}).dims == {"features": (3, 3)}


def test_inputs_are_matched_by_order():
    assert list(adapt(Stores(), {"rows": "batch 3"}).inputs) == ["rows", "W", "b"]


def test_parameters_as_arguments(at_a_point, blames):
    inputs = {"x": "batch features", "W": "features units"}
    assert at_a_point(objects.ArgumentsOnly(), inputs).passed

    class Wrong(objects.ArgumentsOnly):
        def backward(self, grad):
            dx, dW = super().backward(grad)
            return dx, -dW

    blames(Wrong(), "W", inputs)


@pytest.mark.parametrize("kind", [objects.Loss, objects.LossAtPoint])
def test_losses_whose_backward_takes_no_cotangent(kind, at_a_point, blames):
    inputs = {
        "prediction": array("batch n"),
        "target": array("batch n", differentiable=False),
    }
    report = at_a_point(kind(), inputs)
    assert report.passed, str(report)

    class Twice(kind):
        def backward(self):
            return 2 * self.off / self.off.size

    blames(Twice(), "prediction", inputs)


def test_a_forgotten_gradient_is_a_finding(blames):
    class Forgets(Stores):
        def backward(self, grad):
            dx, self.dW, _ = self.gradients(grad)
            return dx

    report = blames(Forgets(), "b")
    assert report.verdict == "broken"


def test_a_fixed_table_is_no_parameter():
    class Shifted(Stores):
        def __init__(self):
            super().__init__()
            self.table = np.arange(3.0)

        def forward(self, x):
            return super().forward(x + self.table)

    assert "table" not in adapt(Shifted()).inputs
    assert "b" not in adapt(Stores(), frozen=["b"]).inputs
    assert list(adapt(Stores(), parameters=["W"]).inputs) == ["x", "W"]


def test_a_stale_cache_is_a_finding(at_a_point):
    class Stale(Stores):
        kept = None

        def forward(self, x):
            self.kept = x if self.kept is None else self.kept
            out = super().forward(x)
            self.x = self.kept
            return out

    report = check(adapt(Stale()), examples=4, seed=1)
    assert not report.passed


def test_vectorize_that_cuts_to_integers_is_a_finding():
    def clip(value):
        return value if value > 0 else 0  # the first entry decides the dtype of all

    report = check(
        objects.Elementwise(clip, lambda value: 1.0 if value > 0 else 0.0),
        {"x": "n"},
        at={"x": np.array([-0.5, 0.75])},
    )
    assert not report.passed


def test_vectorize_that_keeps_floats_passes():
    layer = objects.Elementwise(lambda v: v * v / 2, lambda v: v)
    report = check(layer, {"x": "n"}, examples=6, seed=1)
    assert report.passed, str(report)


def test_a_dropout_draws_the_same_mask_twice():
    subject = adapt(objects.Dropout())
    assert "stochastic" in subject.traits


def test_the_object_is_left_as_it_was():
    layer, state = objects.Momentum(), np.random.get_state()[1].copy()
    before = {name: np.copy(value) for name, value in vars(layer).items()}
    check(layer, examples=3, seed=1)
    assert vars(layer).keys() == before.keys()
    assert all(np.array_equal(value, before[name]) for name, value in vars(layer).items())
    check(objects.Dropout(), examples=3, seed=1)
    assert np.array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"parameters": ["V"]}, "names 'V'"),
        ({"frozen": ["V"]}, "names 'V'"),
        ({"learning_rate": 0}, "learning_rate=0"),
        ({"forward": "front"}, "forward='front'"),
        ({"learning": 1}, "unknown option 'learning'"),
    ],
)
def test_options_that_cannot_be_used_are_named(options, said):
    with pytest.raises(UsageError, match=said):
        adapt(Stores(), **options)


def test_shapes_that_cannot_be_found_show_what_to_write():
    with pytest.raises(
        UsageError, match=r'inputs=\{"x": "batch features", "W": "batch features"\}'
    ):
        adapt(objects.ArgumentsOnly())


def test_an_input_without_a_place_is_named():
    with pytest.raises(UsageError, match="no place for input 'z'"):
        adapt(Stores(), {"x": "batch 3", "z": "3"})
