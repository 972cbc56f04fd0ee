"""The twin may take another side of a kink, and answers for it itself."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import Subject, check


def relu(at_zero, factor=1.0, **options):
    def vjp(u, x):
        return {"x": factor * u * np.where(x == 0, at_zero, x > 0)}

    return Subject("relu", lambda x: factor * np.maximum(x, 0), vjp, {"x": "n"}, **options)


@pytest.mark.parametrize("sides", [(0, 1), (1, 0), (0.5, 0)])
def test_another_subgradient_is_a_remark(sides):
    own, twins = sides
    report = check(relu(own, twin=relu(twins)), seed=1)
    assert report.passed, str(report)
    assert any("at a kink the gradient of `x` differs" in remark for remark in report.remarks)


def test_it_is_a_finding_where_the_twin_decides_and_where_it_is_none():
    assert check(relu(1, twin=relu(0), kinks="twin"), seed=1).verdict == "wrong_at_kink"
    assert not check(relu(0, twin=relu(3)), seed=1, checks=["twin"]).passed
    assert not check(relu(0, twin=relu(0, factor=1.0001)), seed=1, checks=["twin"]).passed
