"""What a graph saved is its own: it outlives other calls of the same layer, at whatever sizes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from gradcheck import Subject, adapt, check

torch = pytest.importorskip("torch")
INPUTS = {"x": "n"}


class Sine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.saved_tensors[0].cos()


class SavedOnTheClass(Sine):
    @staticmethod
    def forward(ctx, x):
        SavedOnTheClass.x = x
        return x.sin()

    @staticmethod
    def backward(ctx, grad):
        return grad * SavedOnTheClass.x.cos()


class OnTheModule(torch.nn.Module):
    """A Function that reads what its module remembers, or what was saved for it."""

    def __init__(self, stale):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        module = self

        class Square(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                module.x = x
                return x * x

            @staticmethod
            def backward(ctx, grad):
                return 2 * grad * (module.x if stale else ctx.saved_tensors[0])

        self.square = Square.apply

    def forward(self, x):
        return self.scale * self.square(x)


def repeated(obj, inputs=INPUTS, **options):
    return check(obj, inputs, checks=["repeat"], seed=4, examples=9, **options)


def test_what_is_saved_on_the_class_goes_stale():
    report = repeated(SavedOnTheClass)
    assert {(f.input, f.fault) for f in report.findings} == {("x", "stale cache")}
    assert repeated(Sine).passed


def test_what_is_saved_on_the_module_goes_stale():
    module, twin = OnTheModule(stale=True), OnTheModule(stale=False)
    assert {f.input for f in repeated(module).findings} == {"x"}
    assert repeated(twin).passed


def test_it_is_found_at_given_arrays_as_well():
    at = {"x": np.array([0.5, -1.0, 2.0])}
    assert not repeated(SavedOnTheClass, at=at).passed
    assert repeated(Sine, at=at).passed


def test_a_backward_that_raises_after_another_forward():
    numbers, slopes = itertools.count(), {}

    class KeptAtOnePlace(Sine):
        @staticmethod
        def forward(ctx, x):
            ctx.number = next(numbers)
            slopes.clear()
            slopes[ctx.number] = x.cos()
            return x.sin()

        @staticmethod
        def backward(ctx, grad):
            return grad * slopes[ctx.number]

    report = repeated(KeptAtOnePlace)
    assert "backward raised KeyError" in str(report)


def test_a_vjp_that_is_replaced_takes_nothing_of_the_old_one_along():
    subject = adapt(Sine, INPUTS)
    assert subject.later is not None
    assert subject.but(name="other").later is not None
    assert subject.but(vjp=lambda u, x: {"x": u}).later is None


def test_a_vjp_that_raises_at_larger_examples_is_not_called_stale():
    def vjp(cotangent, x):
        if x.size > 40:
            raise ValueError("too large")
        return {"x": cotangent * np.cos(x)}

    report = repeated(Subject("sine", np.sin, vjp, INPUTS), None)
    assert report.passed, str(report)


def test_closures_of_jax():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    held = {}

    def made(stale):
        def forward(x):
            held["x"] = x
            return jnp.sin(x), x

        sine = jax.custom_vjp(jnp.sin)
        sine.defvjp(forward, lambda x, u: (u * jnp.cos(held["x"] if stale else x),))
        return sine

    assert {f.fault for f in repeated(made(stale=True)).findings} == {"stale cache"}
    assert repeated(made(stale=False)).passed


def buffered(copies, forward=np.sin):
    """Outputs in a buffer for each shape, returned as they are or copied."""
    buffers = {}

    def into(x):
        out = buffers.setdefault(x.shape, np.empty(x.shape))
        out[...] = forward(x)
        return out.copy() if copies else out

    return Subject("sine", into, lambda u, x: {"x": u * np.cos(x)}, INPUTS)


def test_an_output_that_a_later_call_overwrites():
    report = check(buffered(copies=False), seed=1)
    assert {f.fault for f in report.findings} == {"buffer reuse"}, str(report)
    assert check(buffered(copies=True), seed=1).passed


def test_an_output_that_a_backward_overwrites():
    kept = []

    def forward(x):
        kept.append(np.sin(x))
        return kept[-1]

    def vjp(u, x):
        for y in kept:
            y[...] = 0
        kept.clear()
        return {"x": u * np.cos(x)}

    report = check(Subject("sine", forward, vjp, INPUTS), seed=1)
    assert "altered an output" in str(report)


def summed(clears):
    """The sum of squares out of a workspace that grows."""
    held = {"space": np.zeros(0)}

    def forward(x):
        if held["space"].size < x.size:
            held["space"] = np.zeros(x.size)
        if clears:
            held["space"][x.size :] = 0
        held["space"][: x.size] = x
        return np.asarray((held["space"] ** 2).sum())

    return Subject("squares", forward, lambda u, x: {"x": 2 * u * x}, INPUTS)


def test_a_forward_that_reads_what_a_larger_one_left():
    report = check(summed(clears=False), seed=1)
    assert "after it had run at another point" in str(report)
    assert check(summed(clears=True), seed=1).passed


def test_a_first_call_that_is_another():
    seen = set()

    def forward(x):
        factor = 1.0 if x.shape in seen else 0.5
        seen.add(x.shape)
        return factor * np.sin(x)

    report = check(Subject("sine", forward, lambda u, x: {"x": u * np.cos(x)}, INPUTS), seed=1)
    assert report.verdict == "nondeterministic"


def test_an_output_that_is_a_parameter():
    """Where parameters are set in place, an output may be one of them."""

    class Table(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(3, 2))

        def forward(self, x):
            return self.weight, x * 2

    class Rows:
        def __init__(self):
            self.W = np.ones((3, 2))

        def forward(self, x):
            self.x = x
            return self.W

        def backward(self, dy):
            self.dW = dy
            return 0 * self.x

    assert check(Table(), {"x": "n"}, seed=1).passed
    assert check(Rows(), {"x": "n"}, seed=1).passed


class Emptied(Sine):
    """A backward that changes what it had saved: through the same graph it gives others."""

    @staticmethod
    def backward(ctx, grad):
        gradient = grad * ctx.saved_tensors[0].cos()
        ctx.saved_tensors[0].data.zero_()
        return gradient


class OnItsContext(Sine):
    @staticmethod
    def backward(ctx, grad):
        ctx.calls = getattr(ctx, "calls", 0) + 1
        return grad * ctx.saved_tensors[0].cos() * ctx.calls


class FreesItself(Sine):
    """What it says of a second backward is its own contract."""

    @staticmethod
    def backward(ctx, grad):
        if hasattr(ctx, "freed"):
            raise AttributeError("freed")
        ctx.freed = True
        return Sine.backward(ctx, grad)


def test_a_second_backward_through_one_graph():
    assert not check(OnItsContext, INPUTS, seed=1).passed
    assert not check(Emptied, INPUTS, seed=1).passed
    assert check(FreesItself, INPUTS, seed=1).passed
    assert check(Sine, INPUTS, seed=1).passed


def rms(jax, kept=None):
    """Normalised rows; the derivative of a row of one is what two large terms leave of each other.

    kept: where backward keeps the last point, for all calls.
    """

    def forward(x):
        return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-6)

    def saved(x):
        if kept is not None:
            kept["x"] = x
        return forward(x), x

    def backward(x, grad):
        x = x if kept is None else kept["x"]
        r = jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-6)
        return (r * grad - x * r**3 * (grad * x).mean(-1, keepdims=True),)

    function = jax.custom_vjp(forward)
    function.defvjp(saved, backward)
    return function


def test_compiled_and_not_compiled_programs_round_apart():
    jax = pytest.importorskip("jax")
    at = {"x": np.array([[[0.25]]])}
    assert repeated(rms(jax), {"x": "b t c"}, at=at).passed
    stale = repeated(rms(jax, {}), {"x": "b t c"}, at=at)
    assert {f.fault for f in stale.findings} == {"stale cache"}


@pytest.mark.parametrize("kept", [True, False])
def test_a_size_that_is_kept_of_the_last_forward(kept):
    """Seen only where the forward that came last had another size."""

    class Mean(torch.autograd.Function):
        rows = 0

        @staticmethod
        def forward(ctx, x):
            Mean.rows = ctx.rows = len(x)
            ctx.save_for_backward(x)
            return (x * x).mean()

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 2 * grad * x / (Mean.rows if kept else ctx.rows)

    verdict = repeated(Mean).verdict
    assert verdict == ("broken" if kept else "correct")
