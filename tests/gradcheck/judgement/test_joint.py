"""One direction over many inputs: cheap when all is well, and it names the one that is not."""

import numpy as np
import pytest

from gradcheck.judgement.joint import _shares
from tests.gradcheck.judgement.cases import judged, normal

LAYERS = 12


def stack(**w):
    y = np.ones(4)
    for k in range(LAYERS):
        y = np.tanh(w[f"w{k}"] @ y)
    return y


def backward(u, **w):
    inputs = [np.ones(4)]
    for k in range(LAYERS):
        inputs.append(np.tanh(w[f"w{k}"] @ inputs[-1]))
    grads = {}
    for k in reversed(range(LAYERS)):
        d = u * (1 - inputs[k + 1] ** 2)
        grads[f"w{k}"] = np.outer(d, inputs[k])
        u = w[f"w{k}"].T @ d
    return grads


WEIGHTS = {f"w{k}": normal(4, 4, seed=k) for k in range(LAYERS)}


def test_many_inputs_cost_about_as_much_as_one():
    found = judged(stack, backward, WEIGHTS)
    assert {j.verdict for j in found.values()} == {"correct"}
    assert sum(j.evaluations for j in found.values()) <= 20
    assert max(j.detectable for j in found.values()) <= 1e-6


@pytest.mark.parametrize("culprit", ["w0", "w5", "w11"])
@pytest.mark.parametrize("factor", [2.0, 1 + 1e-5, 0.0])
def test_one_wrong_tensor_is_named_and_the_others_pass(culprit, factor):
    def vjp(u, **w):
        grads = backward(u, **w)
        grads[culprit] = factor * grads[culprit]
        return grads

    found = judged(stack, vjp, WEIGHTS)
    assert [name for name, j in found.items() if j.verdict != "correct"] == [culprit]
    assert found[culprit].verdict == "wrong"


def test_contributions_of_very_different_size_are_all_seen():
    point = {"big": 1e6 * normal(5), "small": 1e-6 * normal(5, seed=1)}

    def forward(big, small):
        return 1e3 * np.sin(big / 1e6) + small

    def vjp(factor):
        return lambda u, big, small: {
            "big": u * np.cos(big / 1e6) / 1e3,
            "small": factor * u,
        }

    right, wrong = judged(forward, vjp(1.0), point), judged(forward, vjp(1.001), point)
    assert {j.verdict for j in right.values()} == {"correct"}
    assert (wrong["big"].verdict, wrong["small"].verdict) == ("correct", "wrong")


@pytest.mark.parametrize(("total", "parts"), [(10, 3), (2, 5), (0, 1)])
def test_shares_add_up(total, parts):
    assert sum(_shares(total, parts)) == total
