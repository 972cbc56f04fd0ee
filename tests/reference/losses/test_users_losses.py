"""Closed-form values, laws and errors of the losses that users plug in."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from reference.losses import cross_entropy, hinge, huber, log_softmax, multi_margin, nll
from tests.reference.one_line import raises_one_line
from tests.reference.users_cases import draw

LABELS = np.array([2, 0, 2])
TEN = np.zeros((3, 10))


def test_equal_logits_are_worth_the_logarithm_of_the_classes():
    assert_allclose(log_softmax.forward(TEN), -np.log(10))
    assert_allclose(cross_entropy.forward(TEN, LABELS), np.log(10))
    assert_allclose(cross_entropy.forward(TEN, LABELS, smoothing=0.3), np.log(10))


def test_log_softmax_keeps_its_digits_far_out():
    x = np.array([[1e4, 0.0], [-1e300, 1e300]])
    assert_allclose(log_softmax.forward(x)[0], [0, -1e4])
    assert np.isfinite(log_softmax.vjp(np.ones((2, 2)), x)["x"]).all()


def test_log_softmax_is_blind_to_a_shift_so_its_gradient_sums_to_0():
    x, g = draw(3, 5), draw(3, 5, seed=1)
    assert_allclose(log_softmax.forward(x + 7), log_softmax.forward(x))
    assert_allclose(log_softmax.vjp(g, x)["x"].sum(-1), 0, atol=1e-14)


def test_cross_entropy_is_nll_of_log_softmax():
    x = draw(3, 4)
    for reduction in ("none", "sum", "mean"):
        assert_allclose(
            cross_entropy.forward(x, LABELS, reduction=reduction),
            nll.forward(log_softmax.forward(x), LABELS, reduction=reduction),
        )


def test_the_gradient_is_softmax_less_the_label():
    x = draw(3, 4)
    gradient = cross_entropy.vjp(np.array(1.0), x, LABELS, reduction="sum")["logits"]
    softmax = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    assert_allclose(gradient, softmax - np.eye(4)[LABELS])


def test_smoothing_mixes_the_label_with_all_classes():
    x = draw(3, 4)
    each = [cross_entropy.forward(x, np.full(3, c), reduction="none") for c in range(4)]
    expected = 0.8 * cross_entropy.forward(x, LABELS, reduction="none") + 0.2 * np.mean(each, 0)
    assert_allclose(cross_entropy.forward(x, LABELS, smoothing=0.2, reduction="none"), expected)


def test_masked_rows_do_not_count():
    x, mask = draw(3, 4), np.array([True, False, True])
    assert_allclose(
        cross_entropy.forward(x, LABELS, mask), cross_entropy.forward(x[mask], LABELS[mask])
    )
    gradient = cross_entropy.vjp(np.array(1.0), x, LABELS, mask)["logits"]
    assert_array_equal(gradient[1], 0)


def test_class_weights_weigh_the_mean():
    log_p = np.array([[-1.0, -2.0], [-3.0, -4.0]])
    loss = nll.forward(log_p, np.array([0, 1]), np.array([1.0, 3.0]))
    assert_allclose(loss, (1 * 1 + 3 * 4) / 4)


@pytest.mark.parametrize(
    ("r", "value", "slope"), [(0, 0, 0), (1, 0.5, 1), (3, 2.5, 1), (-3, 2.5, -1)]
)
def test_huber_by_hand(r, value, slope):
    p, t = np.array([5.0 + r]), np.array([5.0])
    assert_allclose(huber.forward(p, t), value)
    gradients = huber.vjp(np.array(2.0), p, t)
    assert_allclose([gradients["prediction"][0], gradients["target"][0]], [2 * slope, -2 * slope])


def test_huber_with_a_large_delta_is_half_the_squared_error():
    p, t = draw(3, 4), draw(3, 4, seed=1)
    assert_allclose(huber.forward(p, t, delta=1e6), 0.5 * np.mean((p - t) ** 2))


def test_hinge_by_hand_and_0_at_the_margin():
    score, label = np.array([0.0, 2.0, 1.0, -1.0]), np.array([1, 1, 1, -1])
    assert_array_equal(hinge.forward(score, label, reduction="none"), [1, 0, 0, 0])
    assert_array_equal(
        hinge.vjp(np.ones(4), score, label, reduction="none")["score"], [-1, 0, 0, 0]
    )
    assert_array_equal(hinge.vjp(np.array(4.0), score, label)["score"], [-1, 0, 0, 0])


def test_multi_margin_counts_every_violation():
    score = np.array([[1.0, 0.5, 0.0, 2.0]])
    labels = np.array([0])
    assert_allclose(multi_margin.forward(score, labels), (0.5 + 0 + 2) / 4)
    gradient = multi_margin.vjp(np.array(4.0), score, labels)["score"]
    assert_array_equal(gradient, [[-2, 1, 0, 1]])


def test_no_rows_have_a_sum_and_no_mean():
    nothing, labels = np.ones((0, 3)), np.zeros(0, int)
    for loss in (cross_entropy, nll, multi_margin):
        assert loss.forward(nothing, labels, reduction="sum") == 0
        with pytest.raises(ValueError, match="undefined"):
            loss.forward(nothing, labels)


def ones(*shape):
    return np.ones(shape)


# what goes wrong: (call, words of the message)
BAD = {
    "huber, (n, 1) against (n,)": (
        lambda: huber.forward(ones(3, 1), ones(3)),
        ["target has shape (3,)", "prediction has shape (3, 1)"],
    ),
    "huber, delta 0": (lambda: huber.forward(ones(3), ones(3), delta=0), ["delta is 0"]),
    "huber, an unknown reduction": (
        lambda: huber.forward(ones(3), ones(3), reduction="average"),
        ["reduction is 'average'", "'mean'"],
    ),
    "hinge, label 0": (lambda: hinge.forward(ones(2), np.array([1, 0])), ["label holds 0"]),
    "cross_entropy, a label too large": (
        lambda: cross_entropy.forward(ones(2, 3), np.array([0, 3])),
        ["labels holds 3", "[0, 3)"],
    ),
    "cross_entropy, labels one-hot": (
        lambda: cross_entropy.forward(ones(2, 3), np.eye(3, dtype=int)[:2]),
        ["labels has shape (2, 3)", "logits has shape (2, 3)"],
    ),
    "cross_entropy, smoothing 2": (
        lambda: cross_entropy.forward(ones(2, 3), np.array([0, 1]), smoothing=2),
        ["smoothing is 2"],
    ),
    "cross_entropy, nothing kept": (
        lambda: cross_entropy.forward(ones(2, 3), np.array([0, 1]), np.zeros(2, bool)),
        ["mask keeps none of 2 rows"],
    ),
    "cross_entropy, cotangent of a mean": (
        lambda: cross_entropy.vjp(ones(2), ones(2, 3), np.array([0, 1])),
        ["cotangent has shape (2,)"],
    ),
    "nll, labels of floats": (lambda: nll.forward(ones(2, 3), ones(2)), ["labels has dtype"]),
    "nll, weights by row": (
        lambda: nll.forward(ones(2, 3), np.array([0, 1]), ones(2)),
        ["weights has shape (2,)", "log_p has shape (2, 3)"],
    ),
    "multi_margin, margin -1": (
        lambda: multi_margin.forward(ones(2, 3), np.array([0, 1]), margin=-1),
        ["margin is -1"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments(case):
    raises_one_line(*BAD[case])
