"""The documented losses: derivative, forms, masks, regression in both coordinates, errors."""

import re
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reference.layers import softmax
from reference.losses import LOSSES, masked_mse, masked_sequence_mse, mse, odr, softmax_mse
from tests.reference.layers.pairing import mismatch
from tests.reference.one_line import raises_one_line

rng = np.random.default_rng(0)
P, T = rng.standard_normal((2, 4, 3))
KNOWN = rng.random((4, 3)) < 0.5
STEPS = np.array([[1, 0, 1], [0, 0, 1]])
LINE = {
    "beta": np.array([0.8, -0.3]),
    "delta": rng.standard_normal(5),
    "x": rng.standard_normal(5),
    "y": rng.standard_normal(5),
}
SIGMA = {"sx": rng.uniform(0.5, 2, 5), "sy": rng.uniform(0.5, 2, 5)}
SEQUENCES = dict(zip(("prediction", "target"), rng.standard_normal((2, 2, 3, 4)), strict=True))

# name: (forward, vjp, differentiable inputs)
CASES = {
    **{
        f"mse {form}": (
            partial(mse.forward, form=form),
            partial(mse.vjp, form=form),
            {"prediction": P, "target": T},
        )
        for form in mse.FORMS
    },
    "masked_mse": (
        partial(masked_mse.forward, mask=KNOWN),
        partial(masked_mse.vjp, mask=KNOWN),
        {"prediction": P, "target": T},
    ),
    "masked_sequence_mse": (
        partial(masked_sequence_mse.forward, mask=STEPS),
        partial(masked_sequence_mse.vjp, mask=STEPS),
        SEQUENCES,
    ),
    "softmax_mse": (softmax_mse.forward, softmax_mse.vjp, {"logits": P, "target": T}),
    "odr": (partial(odr.forward, **SIGMA), partial(odr.vjp, **SIGMA), LINE),
    "odr residuals": (
        partial(odr.residuals, **SIGMA),
        partial(odr.residuals_vjp, **SIGMA),
        LINE,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_vjp_is_the_derivative(name):
    forward, vjp, inputs = CASES[name]
    assert mismatch(forward, vjp, inputs) < 1e-8
    assert name.split()[0] in LOSSES


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name):
    forward, vjp, inputs = CASES[name]
    inputs = {key: value.astype(np.float32) for key, value in inputs.items()}
    if name.startswith("odr"):
        sigma = {key: value.astype(np.float32) for key, value in SIGMA.items()}
        forward, vjp = partial(forward, **sigma), partial(vjp, **sigma)
    loss = forward(**inputs)
    assert loss.dtype == np.float32
    assert {g.dtype for g in vjp(np.ones_like(loss), **inputs).values()} == {loss.dtype}


def test_the_forms_differ_by_half_and_by_the_number_of_elements():
    whole = mse.forward(P, T, form="sum")
    assert mse.forward(P, T, form="half sum") == pytest.approx(whole / 2)
    assert mse.forward(P, T) == pytest.approx(whole / 12)
    assert mse.forward(P, T, form="half mean") == pytest.approx(whole / 24)
    assert_allclose(mse.vjp(1.0, P, T, form="half sum")["prediction"], P - T)


def test_a_lift_s_loss_is_a_mean_over_26_weights():
    w, t = rng.standard_normal((2, 1, 26))
    assert_allclose(mse.vjp(1.0, w, t)["prediction"], 2 / 26 * (w - t), atol=1e-16)


def test_a_column_against_a_row_would_average_over_all_pairs():
    """(001) the (3, 3) broadcast: true MSE plus twice the covariance, gradient 2/B (p - mean t)."""
    p, t = rng.standard_normal((2, 3))
    pairs = np.mean((p[:, None] - t) ** 2)
    covariance = np.mean((p - p.mean()) * (t - t.mean()))
    assert pairs == pytest.approx(mse.forward(p, t) + 2 * covariance)
    with pytest.raises(ValueError, match=re.escape("target has shape (3,)")):
        mse.forward(p[:, None], t)


def test_unknown_targets_do_not_count_and_may_be_nan():
    t = np.where(KNOWN, T, np.nan)
    assert masked_mse.forward(P, t, KNOWN) == pytest.approx(mse.forward(P[KNOWN], T[KNOWN]))
    gradients = masked_mse.vjp(1.0, P, t, KNOWN)
    assert_array_equal(gradients["prediction"][~KNOWN], 0)
    known = mse.vjp(1.0, P[KNOWN], T[KNOWN])["prediction"]
    assert_allclose(gradients["prediction"][KNOWN], known, atol=1e-16)


def test_nothing_known_is_no_loss_and_no_gradient():
    none = np.zeros((4, 3), bool)
    assert masked_mse.forward(P, T, none) == 0
    assert_array_equal(masked_mse.vjp(1.0, P, T, none)["prediction"], 0)
    assert masked_mse.forward(P[:0], T[:0], none[:0]) == 0


def test_a_masked_sequence_s_loss_is_the_mean_over_its_steps():
    kept = STEPS.astype(bool)
    p, t = SEQUENCES["prediction"], SEQUENCES["target"]
    assert masked_sequence_mse.forward(p, t, STEPS) == pytest.approx(mse.forward(p[kept], t[kept]))
    assert_array_equal(masked_sequence_mse.vjp(1.0, p, t, STEPS)["prediction"][~kept], 0)


def test_softmax_with_squared_error_in_one_formula():
    s = softmax.forward(P)
    u = 2 * (s - T) / 12
    expected = s * (u - (u * s).sum(-1, keepdims=True))
    assert_allclose(softmax_mse.vjp(1.0, P, T)["logits"], expected, atol=1e-16)


def test_the_odr_jacobian_gives_the_pullback():
    J = odr.jacobian(LINE["beta"], LINE["delta"], LINE["x"], LINE["y"], **SIGMA)
    u = rng.standard_normal(10)
    gradients = odr.residuals_vjp(u, **LINE, **SIGMA)
    assert_allclose(u @ J, np.concatenate([gradients["beta"], gradients["delta"]]), atol=1e-14)


def test_covariance_of_the_documented_fit():
    """(002) errors of 1 and 5 on the line y = x: printed to the noise of its differences."""
    x = np.arange(4.0)
    fit = {"beta": np.array([1.0, 0]), "delta": np.zeros(4), "x": x, "y": x}
    cov = odr.covariance(**fit, sx=np.ones(4), sy=np.full(4, 5.0))
    assert_allclose(cov, [[5.2, -7.8], [-7.8, 18.2]], rtol=1e-12)
    assert_allclose(cov, [[5.20000039, -7.80000026], [-7.80000026, 18.1999991]], rtol=1e-6)


def test_profile_cost_covariance_and_deming_slope_of_noisy_data():
    x, y = np.arange(4.0), np.array([0.1, 0.9, 2.2, 2.8])
    sx, sy = np.ones(4), np.full(4, 5.0)
    beta = np.array([0.940595954187089, 0.08910606871936655])
    delta = odr.best_delta(beta, x, y, sx, sy)
    at_optimum = odr.vjp(1.0, beta, delta, x, y, sx, sy)
    assert_allclose(at_optimum["delta"], 0, atol=1e-15)
    assert_allclose(at_optimum["beta"], 0, atol=1e-14)  # the Deming line is the ODR line
    r, spread = beta[0] * x + beta[1] - y, sy**2 + beta[0] ** 2 * sx**2
    S = odr.forward(beta, delta, x, y, sx, sy)
    assert pytest.approx(np.sum(r**2 / spread)) == S
    assert pytest.approx(0.003167960612844673) == S
    X = np.stack([x + delta, np.ones(4)], axis=1)
    cov = odr.covariance(beta, delta, x, y, sx, sy)
    assert_allclose(cov, np.linalg.inv(X.T @ (X / spread[:, None])), rtol=1e-10)
    assert_allclose(np.sqrt(np.diag(cov) * S / 2), [0.0905557308, 0.1694137646], rtol=1e-6)


ONES = np.ones
BAD = {
    "another shape": (lambda: mse.forward(ONES((2, 3)), ONES((3, 2))), ["(3, 2)", "(2, 3)"]),
    "mean of nothing": (lambda: mse.forward(ONES((0, 3)), ONES((0, 3))), ["(0, 3)"]),
    "unknown form": (lambda: mse.forward(P, T, form="rms"), ["form is 'rms'", "'half mean'"]),
    "cotangent not scalar": (lambda: mse.vjp(ONES(1), P, T), ["cotangent has shape (1,)"]),
    "targets of one column": (
        lambda: masked_mse.forward(P, T[:, :1], KNOWN),
        ["target has shape (4, 1)", "prediction has shape (4, 3)"],
    ),
    "mask of one column": (
        lambda: masked_mse.forward(P, T, KNOWN[:, :1]),
        ["mask has shape (4, 1)", "prediction has shape (4, 3)"],
    ),
    "mask of weights": (lambda: masked_mse.forward(P, T, P), ["mask holds"]),
    "mask per feature": (
        lambda: masked_sequence_mse.forward(ONES((2, 3, 4)), ONES((2, 3, 4)), ONES((2, 3, 4))),
        ["mask has shape (2, 3, 4)"],
    ),
    "step without features": (
        lambda: masked_sequence_mse.forward(ONES((2, 3, 0)), ONES((2, 3, 0)), ONES((2, 3))),
        ["prediction has shape (2, 3, 0)"],
    ),
    "labels, not rows": (
        lambda: softmax_mse.forward(P, T[:, 0]),
        ["target has shape (4,)", "logits has shape (4, 3)"],
    ),
    "no error in y": (
        lambda: odr.forward(**LINE, **SIGMA | {"sy": np.zeros(5)}),
        ["sy holds 0.0"],
    ),
    "one error for all": (
        lambda: odr.forward(**LINE, **SIGMA | {"sx": ONES(1)}),
        ["sx has shape (1,)", "x has shape (5,)"],
    ),
    "three parameters": (
        lambda: odr.forward(**LINE | {"beta": ONES(3)}, **SIGMA),
        ["beta has shape (3,)"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    raises_one_line(*BAD[case])


def test_sums_over_nothing_are_zero():
    nothing = np.empty((0, 3))
    assert mse.forward(nothing, nothing, form="sum") == 0
    assert mse.vjp(1.0, nothing, nothing, form="half sum")["prediction"].shape == (0, 3)
    none = np.empty(0)
    gradients = odr.vjp(1.0, np.ones(2), none, none, none, none, none)
    assert_array_equal(gradients["beta"], 0)
