"""What a larger call leaves in a NumPy object's workspace is not read by the next one."""

from __future__ import annotations

import numpy as np

from gradcheck import adapt, check


class RunningSum:
    """Running sums whose backward works in a buffer that it keeps."""

    behind = 0

    def __init__(self):
        self.buffer = np.zeros(10_000)

    def forward(self, x):
        return np.cumsum(x)

    def backward(self, grad):
        self.buffer[: len(grad)] = grad
        read = self.buffer[: len(grad) + self.behind]
        return np.cumsum(read[::-1])[::-1][: len(grad)]


class ReadsBehind(RunningSum):
    behind = 1


class AddsUp(RunningSum):
    """Adds its gradients to those of the calls before, until they are set to zero."""

    def __init__(self):
        super().__init__()
        self.total = {}

    def backward(self, grad):
        old = self.total.get(len(grad), 0)
        self.total[len(grad)] = old + super().backward(grad)
        return self.total[len(grad)].copy()


class Dropping(RunningSum):
    def forward(self, x):
        self.keep = np.random.rand(len(x)) < 0.5
        return x * self.keep

    def backward(self, grad):
        return grad * self.keep


def repeated(obj, **options):
    return check(obj, {"x": "n"}, checks=["repeat"], seed=3, examples=9, **options)


def test_a_stale_tail_is_found():
    assert {f.fault for f in repeated(ReadsBehind()).findings} == {"stale cache"}
    assert not repeated(ReadsBehind(), at={"x": np.ones(3)}).passed


def test_a_clean_workspace_an_accumulator_and_a_dropout_pass():
    for obj in (RunningSum(), AddsUp(), Dropping()):
        report = repeated(obj)
        assert report.passed, str(report)


def test_the_object_is_put_back():
    layer = RunningSum()
    subject = adapt(layer, {"x": "n"})
    u, x = np.ones(3), np.arange(3.0)
    found = subject.later(u, [{"x": np.ones(9)}], x=x)
    assert np.array_equal(found["x"], subject.vjp(u, x=x)["x"])
    assert not layer.buffer.any()
    assert not subject.forward.__self__.work.buffer[3:].any()


def test_layers_that_a_factory_makes():
    class Scaled:
        def __init__(self, n):
            self.w, self.stale = np.ones(n), None

        def forward(self, x):
            self.x = x
            return x * self.w

        def backward(self, grad):
            self.stale = self.stale if self.stale is not None else self.w * 1
            self.dw = (grad * self.x).sum(0)
            return grad * self.stale

    report = check(Scaled, {"x": "batch n"}, checks=["repeat"], seed=3, examples=9)
    assert {f.input for f in report.findings} == {"x"}
