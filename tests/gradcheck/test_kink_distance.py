"""The nearest kink is found at its distance; a smooth function, however steep, has none."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, array, check
from gradcheck.emit import cases


def shifted(by):
    """A ReLU whose kink lies at `by`."""
    return Subject(
        "relu", lambda x: np.maximum(x - by, 0), lambda u, x: {"x": u * (x > by)}, {"x": "n"}
    )


def distances(subject, **options):
    report = check(subject, seed=1, checks=["gradient"], **options)
    assert report.verdict in ("correct", "inconclusive")  # so near a kink little can be seen
    return cases(report)[0].coverage.distance


@pytest.mark.parametrize(("far", "said"), [(4e-6, "1e-5"), (3e-3, "1e-2"), (0.3, "1")])
def test_the_nearest_kink_is_told_by_its_power_of_ten(far, said):
    for x in (1.0 + far, 1.0 - far):
        # The direction has magnitudes in [1/2, 1] of the scale: at most twice as far away.
        assert distances(shifted(1.0), at={"x": np.array([x])}) == {said: 1}


def test_a_point_at_the_kink_is_told_as_that():
    assert distances(shifted(1.0), at={"x": np.array([1.0, 3.0])}) == {"at the kink": 1}


@pytest.mark.parametrize("steep", [1.0, 30.0, 1000.0])
def test_a_smooth_function_has_no_kink(steep):
    subject = Subject(
        "tanh",
        lambda x: np.tanh(steep * x),
        lambda u, x: {"x": u * steep / np.cosh(np.clip(steep * x, -300, 300)) ** 2},
        {"x": array("n", low=-2, high=2)},
    )
    assert set(distances(subject, examples=8)) == {"none within 1"}


def test_the_domain_is_not_left():
    inside = []

    def forward(x):
        inside.append(bool(np.all(x >= 0)))
        return np.sqrt(x + 1)

    subject = Subject(
        "root", forward, lambda u, x: {"x": u / (2 * np.sqrt(x + 1))}, {"x": array("n", low=0)}
    )
    assert set(distances(subject, examples=8)) == {"none within 1"}
    assert all(inside)
