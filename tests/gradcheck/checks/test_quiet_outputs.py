"""Outputs that larger ones drown: asked alone, they are told right from wrong."""

import numpy as np
import pytest

from gradcheck import Subject, check


def scaled(sizes, factor):
    """Columns of tanh, of these sizes; the gradient of the last is multiplied by `factor`."""
    sizes = np.array(sizes)
    off = np.where(np.arange(len(sizes)) == len(sizes) - 1, factor, 1.0)
    return Subject(
        "scaled",
        lambda x: np.tanh(x) * sizes,
        lambda u, x: {"x": u * sizes * (1 - np.tanh(x) ** 2) * off},
        {"x": f"n {len(sizes)}"},
        dims={"n": (1, 4)},
    )


SIZES = [(1, 1e-9), (1, 1e-12), (1e6, 1, 1e-6), (1, 1e-14, 1e-28)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, "correct"), (0.5, "wrong"), (1.001, "wrong")]
)
def test_a_column_is_judged_however_small_it_is(sizes, factor, verdict):
    report = check(scaled(sizes, factor), checks=["gradient"], seed=3)
    assert report.verdict == verdict
    assert all(finding.index[-1] == len(sizes) - 1 for finding in report.findings)


def test_the_script_replays_what_quiet_outputs_show():
    subject = scaled((1, 1e-12), 0.5)
    finding = check(subject, checks=["gradient"], seed=3).findings[0]
    again = check(subject, at=finding.example, cotangent=finding.cotangent, checks=["gradient"])
    assert [f.index for f in again.findings] == [finding.index]


def test_a_residual_that_is_rounding_is_no_finding():
    """Forward returns x / 3 * 3 - x, some ulp, in steps: the derivative, 0, cannot be seen."""
    subject = Subject(
        "residual",
        lambda x: np.stack([x, x / 3 * 3 - x]),
        lambda u, x: {"x": u[0]},
        {"x": "n"},
    )
    assert check(subject, checks=["gradient"], seed=3).verdict in ("correct", "inconclusive")
