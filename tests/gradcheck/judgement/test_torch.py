"""The same engine on torch tensors, without a round trip through NumPy at every point."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from gradcheck.backends import backend  # noqa: E402
from gradcheck.judgement import judge  # noqa: E402
from gradcheck.judgement.problem import Problem  # noqa: E402


def problem(forward, point, change=lambda grads: grads):
    """A claim that is torch's own gradient, changed."""
    names = tuple(name for name, x in point.items() if x.is_floating_point() or x.is_complex())

    def outputs(arrays):
        with torch.no_grad():
            return (forward(**arrays),)

    def vjp(cotangent, arrays):
        leaves = {n: x.detach().requires_grad_(n in names) for n, x in arrays.items()}
        y = forward(**leaves)
        return change(
            dict(
                zip(
                    names,
                    torch.autograd.grad(y, [leaves[n] for n in names], *cotangent),
                    strict=True,
                )
            )
        )

    return Problem(outputs, vjp, point, names, backend("torch"))


def layer(x, w, b):
    return torch.nn.functional.layer_norm(torch.tanh(x @ w + b), (w.shape[1],))


@pytest.fixture
def point():
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return {"x": draw(5, 7), "w": draw(7, 6), "b": draw(6)}


def verdicts(made, seed=0):
    y = made.forward(made.point)[0]
    u = torch.randn(y.shape, generator=torch.Generator().manual_seed(seed), dtype=y.dtype)
    return judge(made, (u,), seed=seed)


def test_a_layer_passes_in_few_evaluations(point):
    found = verdicts(problem(layer, point))
    assert {j.verdict for j in found.values()} == {"correct"}
    assert sum(j.evaluations for j in found.values()) <= 10


@pytest.mark.parametrize("name", ["x", "w", "b"])
def test_the_wrong_tensor_is_named(point, name):
    def change(grads):
        return {**grads, name: grads[name] * (1 + 1e-5)}

    found = verdicts(problem(layer, point, change))
    assert [n for n, j in found.items() if j.verdict == "wrong"] == [name]


def test_no_tensor_passes_through_numpy_on_a_large_pass(monkeypatch):
    made = problem(torch.sin, {"input": torch.linspace(-3, 3, 100_000, dtype=torch.float64)})
    sizes = []
    before = type(made.backend).to_numpy
    monkeypatch.setattr(
        type(made.backend),
        "to_numpy",
        lambda self, array: (sizes.append(array.numel()), before(self, array))[1],
    )
    assert verdicts(made)["input"].verdict == "correct"
    assert max(sizes, default=0) < 10_000


def test_complex_parameters():
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(4, 3, generator=generator, dtype=torch.complex128)

    def conjugated(grads):
        return {"z": grads["z"].conj()}

    assert verdicts(problem(lambda z: z * z.mean(), {"z": z}))["z"].verdict == "correct"
    found = verdicts(problem(lambda z: z * z.mean(), {"z": z}, conjugated))["z"]
    assert found.verdict == "wrong"
    assert np.iscomplexobj(found.entries[0].expected)
