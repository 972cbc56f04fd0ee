"""JAX functions and custom_vjp, in float64 whatever the process is set to."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck import adapt, array, check

jax = pytest.importorskip("jax")
jnp = jax.numpy


def sine(x, y):
    return jnp.sin(x) * y


def with_slopes(backward):
    made = jax.custom_vjp(sine)
    made.defvjp(lambda x, y: (sine(x, y), (x, y)), backward)
    return made


right = with_slopes(lambda kept, u: (jnp.cos(kept[0]) * kept[1] * u, jnp.sin(kept[0]) * u))
wrong = with_slopes(lambda kept, u: (jnp.cos(kept[0]) * kept[1] * u, -jnp.sin(kept[0]) * u))


def test_a_right_custom_vjp_passes_and_a_fault_is_laid_at_its_input(at_a_point, blames):
    assert at_a_point(right, {"x": "n", "y": "n"}).passed
    assert {f.input for f in blames(wrong, "y", {"x": "n", "y": "n"}).findings} == {"y"}
    assert adapt(right, {"x": "n", "y": "n"}).kinks == "subgradient"


def test_plain_and_jitted_functions(at_a_point):
    assert at_a_point(lambda x: jnp.tanh(x) * x, {"x": "n"}).passed
    assert at_a_point(jax.jit(lambda x, w: x @ w), {"x": "b n", "w": "n m"}).passed
    assert adapt(lambda x: 2 * jnp.tanh(x)).inputs["x"].shape.text == "batch features"


def test_generated_examples():
    report = check(lambda x: jnp.maximum(x, 0.0) * x, {"x": "n"}, examples=4, seed=1)
    assert report.passed, str(report)


def test_functions_that_look_at_values_run_eagerly(at_a_point):
    def branches(x):
        return jnp.sin(x) if jnp.sum(x) > 0 else jnp.cos(x)

    assert at_a_point(branches, {"x": "n"}).passed


def test_complex_gradients_follow_one_convention(at_a_point):
    assert at_a_point(lambda z: jnp.abs(z) ** 2 * z, {"z": array("n", complex=True)}).passed


def test_float64_inside_and_the_process_untouched():
    before = jax.config.jax_enable_x64
    subject = adapt(lambda x: 2 * jnp.sin(x), {"x": "n"})
    assert subject.forward(x=np.ones(2)).dtype == np.float64
    assert jax.config.jax_enable_x64 == before


# -- second order -------------------------------------------------------------------------------


def second_order(function, inputs=None, **options):
    report = check(
        function, inputs or {"x": "n", "y": "n"}, checks=["second_order"], seed=1, **options
    )
    return report.outcomes["second_order"]


def saves(backward):
    """x^2 y; of the product that is kept the slope is y once, and backward may forget it."""
    made = jax.custom_vjp(lambda x, y: x * x * y)
    made.defvjp(lambda x, y: (x * x * y, (x, y)), backward)
    return made


@pytest.mark.parametrize("function", [sine, right], ids=["plain", "custom_vjp"])
def test_the_vjp_is_differentiated_again(function):
    found = second_order(function)
    assert found.verdict == "correct", found.findings
    assert found.examples > 0
    assert found.evaluations + found.score > 0


def test_a_backward_cut_off_from_its_inputs_is_wrong_in_second_order():
    stop = jax.lax.stop_gradient
    cut = saves(lambda kept, u: (2 * stop(kept[0]) * kept[1] * u, kept[0] ** 2 * u))
    whole = saves(lambda kept, u: (2 * kept[0] * kept[1] * u, kept[0] ** 2 * u))
    assert check(cut, {"x": "n", "y": "n"}, checks=["gradient"], seed=1, examples=4).passed
    found = second_order(cut, traits={"twice differentiable"}, examples=4)
    assert {(f.kind, f.input) for f in found.findings} == {("wrong", "x")}
    assert second_order(whole, traits={"twice differentiable"}, examples=4).verdict == "correct"


def test_second_order_of_several_outputs_and_of_complex_numbers():
    def several(x, y):
        return jnp.sin(x) * y, jnp.argmax(x, keepdims=True), x**3

    assert second_order(several, {"x": "4", "y": "4"}, examples=8).verdict == "correct"
    found = check(
        lambda z: z**3, {"z": array("n", complex=True)}, checks=["second_order"], seed=1,
        examples=8,
    ).outcomes["second_order"]  # fmt: skip
    assert found.verdict == "correct", found.findings


def test_a_backward_that_cannot_be_differentiated_again_is_a_remark():
    def host(kept, u):
        shape = jax.ShapeDtypeStruct(u.shape, u.dtype)
        slope = jax.pure_callback(lambda x, y: 2 * x * y, shape, *kept)
        return slope * u, kept[0] ** 2 * u

    found = second_order(saves(host), examples=4)
    assert not found.findings
    assert "cannot be differentiated again" in str(found.remarks)


def test_a_function_that_names_jax_only_through_what_it_is_given(at_a_point, blames):
    """Parameters in containers, activation as a default or bound by partial."""
    import functools

    def apply(params, x, act=right):
        for layer in params["layers"]:
            x = x @ layer["kernel"] + layer["bias"]
            x = act(x, x)
        return x

    layers = [{"kernel": "3 2", "bias": array("2")}]
    inputs = {"params": {"layers": layers}, "x": "n 3"}
    assert at_a_point(apply, inputs).passed
    blames(functools.partial(apply, act=wrong), "params.layers.0.bias", inputs)


def test_a_graph_that_waits_takes_its_cotangent_in_full():
    subject = adapt(right, {"x": "n", "y": "n"})
    x, y, u = np.array([0.1, 0.7]), np.array([1.0, 2.0]), np.array([1 / 3, 2 / 3])
    waited = subject.later(u, [{"x": x + 1, "y": y}], x=x, y=y)
    np.testing.assert_allclose(waited["x"], u * y * np.cos(x), rtol=1e-14)


def keeps_outside(kept):
    """A rule whose backward reads what the last forward left, or what its own did."""
    left = {}

    def forward(x):
        left["x"] = jnp.shape(x)[0] if kept == "a size" else x
        return x * x.shape[0], x

    def backward(x, u):
        size = left["x"] if kept == "a size" else x.shape[0]
        return (size * u + (left["x"] - x if kept == "an array" else 0.0),)

    made = jax.custom_vjp(lambda x: x * x.shape[0])
    made.defvjp(forward, backward)
    return made


@pytest.mark.parametrize("kept", ["a size", "an array", "nothing"])
def test_what_is_kept_outside_of_jax_is_the_last_forwards_in_later(kept):
    subject = adapt(keeps_outside(kept), {"x": "n"})
    u, x = np.array([1.0, -2.0]), np.array([0.5, 1.5])
    other = np.ones(3) if kept == "a size" else x + 1
    (found,) = subject.later(u, [{"x": other}], x=x).values()
    assert np.allclose(found, {"a size": 3 * u, "an array": 2 * u + 1, "nothing": 2 * u}[kept])


def test_what_a_callback_keeps_is_the_last_forwards_in_later():
    left = {}

    def on_host(x):
        left["x"] = np.asarray(x)
        return np.sin(left["x"])

    def called(function, x):
        return jax.pure_callback(function, jax.ShapeDtypeStruct(x.shape, x.dtype), x)

    made = jax.custom_vjp(lambda x: called(on_host, x))
    made.defvjp(
        lambda x: (called(on_host, x), None),
        lambda _, u: (called(lambda v: np.asarray(v) * np.cos(left["x"]), u),),
    )
    x, u = np.array([0.5, 1.5]), np.array([1.0, -2.0])
    (found,) = adapt(made, {"x": "n"}).later(u, [{"x": x + 1}], x=x).values()
    assert np.allclose(found, u * np.cos(x + 1))
