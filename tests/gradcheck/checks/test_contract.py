"""A vjp that raises is broken where forward has a result, and not where it has none."""

from __future__ import annotations

import numpy as np

from gradcheck import Subject, check


def square_root(raises):
    def forward(x):
        with np.errstate(invalid="ignore"):
            return np.sqrt(x)

    def vjp(u, x):
        if np.any(raises(x)):
            raise ValueError("not a number")
        with np.errstate(divide="ignore"):
            return {"x": u / (2 * np.sqrt(x))}

    return Subject("square root", forward, vjp, {"x": "n"})


def test_a_vjp_may_raise_where_the_outputs_are_not_finite():
    report = check(square_root(lambda x: x < 0), seed=1)
    assert report.passed, str(report)
    assert any("where the outputs are not finite" in said for said in report.remarks)


def test_nowhere_else():
    broken = check(square_root(lambda x: (x < 0) | (x > 1)), seed=1)
    assert broken.verdict == "broken"
    assert "where forward had not" in broken.findings[0].message
