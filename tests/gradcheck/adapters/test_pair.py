"""fun and jac, and forward and backward functions with a cache."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from gradcheck import UsageError, adapt, array, check, constant


def residuals(x):
    return np.stack([x[0] * x[1], np.sin(x[1]), x[2] ** 2, x[0] - x[2]])


def jacobian(x):
    zero = 0 * x[0]
    return np.array(
        [
            [x[1], x[0], zero],
            [zero, np.cos(x[1]), zero],
            [zero, zero, 2 * x[2]],
            [1 + zero, zero, -1 + zero],
        ]
    )


def line(x, beta):
    return beta[0] + beta[1] * x


@pytest.mark.parametrize(
    ("jac", "options"),
    [
        (jacobian, {}),
        (lambda x: jacobian(x).T, {}),
        (lambda x: jacobian(x).T, {"inputs_first": True}),
        (lambda x: scipy.sparse.csr_array(jacobian(x)), {}),
        (lambda x: scipy.sparse.linalg.aslinearoperator(jacobian(x)), {}),
    ],
    ids=["rows", "columns", "columns said", "sparse", "operator"],
)
def test_jacobians_of_every_form(jac, options, at_a_point):
    assert at_a_point((residuals, jac), {"x": "3"}, **options).passed


def test_a_wrong_entry_is_laid_at_x(blames):
    def wrong(x):
        found = jacobian(x)
        found[1, 1] = np.sin(x[1])
        return found

    assert blames((residuals, wrong), "x", {"x": "3"}).findings[0].index == (1,)


def test_gradient_of_a_number_and_slope_of_an_elementwise_function(at_a_point):
    assert at_a_point((lambda x: np.sum(x**2), lambda x: 2 * x), {"x": "n"}).passed
    assert at_a_point((np.sin, np.cos), {"x": "n"}).passed
    assert at_a_point((lambda x: (np.sum(x**2), 2 * x), True), {"x": "n"}).passed


def test_the_option_jac_as_in_scipy():
    report = check(lambda x: np.sum(x**4), {"x": "n"}, jac=lambda x: 4 * x**3, examples=6, seed=1)
    assert report.passed, str(report)


def test_a_shape_is_found_for_one_point():
    assert adapt((np.sin, np.cos)).inputs["x"].shape.text == "n"


def test_a_jacobian_for_each_input(at_a_point, blames):
    jac = {"beta": lambda x, beta: np.stack([np.ones_like(x), x], axis=1)}
    subject = adapt((line, jac), {"x": "n", "beta": "2"})
    assert subject.differentiable == ("beta",)
    assert at_a_point(subject).passed
    both = {**jac, "x": lambda x, beta: np.full_like(x, -beta[1])}
    report = blames((line, both), "x", {"x": "n", "beta": "2"})
    assert {finding.input for finding in report.findings} == {"x"}


def test_two_jacobians_in_a_tuple(at_a_point):
    def jac(x, beta):
        return np.full_like(x, beta[1]), np.stack([np.ones_like(x), x], axis=1)

    assert adapt((line, jac), {"x": "n", "beta": "2"}).differentiable == ("x", "beta")
    assert at_a_point((line, jac), {"x": "n", "beta": "2"}).passed


def test_a_jacobian_of_no_known_shape_is_broken(at_a_point):
    report = at_a_point((residuals, lambda x: np.zeros(2)), {"x": "3"})
    assert report.verdict == "broken"
    assert "jac returned shape (2,), expected (4, 3)" in report.findings[0].message


def product_forward(x, w):
    return x @ w, (x, w)


def product_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


def test_functions_with_a_cache(at_a_point, blames):
    inputs = {"x": "batch n", "w": "n m"}
    assert at_a_point((product_forward, product_backward), inputs).passed

    def wrong(dout, cache):
        dx, dw = product_backward(dout, cache)
        return dx, dw / len(dout)

    blames((product_forward, wrong), "w", inputs)


def test_bad_use():
    with pytest.raises(UsageError, match=r'give the shapes of its inputs: inputs=\{"x": "n", "b'):
        adapt((line, {"beta": line}))
    with pytest.raises(UsageError, match="jac names 'gamma'"):
        adapt((line, {"gamma": line}), {"x": "n", "beta": "2"})


def test_value_and_gradient_of_scipy_s_result_or_by_name(at_a_point, blames):
    from scipy.optimize import OptimizeResult

    def result(x, factor=2.0):
        return OptimizeResult(fun=np.sum(x**2), jac=factor * x)

    assert at_a_point((result, True), {"x": "n"}).passed
    blames((lambda x: result(x, 1.0), True), "x", {"x": "n"})

    def loss(W, X):
        off = X @ W
        return 0.5 * np.sum(off**2), {"W": X.T @ off}

    inputs = {"X": "n m", "W": "m k"}
    assert adapt((loss, True), inputs).differentiable == ("W",)
    assert at_a_point((loss, True), inputs).passed
    blames((lambda W, X: (loss(W, X)[0], {"dW": X.T @ X @ W + 1}), True), "W", inputs)


class Squares:
    def loss(self, y, y_pred):
        return 0.5 * np.sum((y - y_pred) ** 2)

    def gradient(self, y, y_pred):
        return y_pred - y


class Logistic:
    def __call__(self, x):
        return 1 / (1 + np.exp(-x))

    def derivative(self, x):
        return self(x) * (1 - self(x))


def test_an_object_with_a_value_and_its_slope(at_a_point, blames):
    inputs = {"y": array("n", differentiable=False), "y_pred": "n"}
    assert at_a_point(Squares(), inputs).passed
    assert at_a_point(Logistic()).passed

    class Wrong(Squares):
        def gradient(self, y, y_pred):
            return y - y_pred

    blames(Wrong(), "y_pred", inputs)

    class Drawn(Logistic):
        def derivative(self, x):
            return self(x) * (1 - x)

    blames(Drawn(), "x")


def test_functions_that_hide_their_arguments(at_a_point, blames):
    def hidden(function):
        def called(*args, **kwargs):
            return function(*args, **kwargs)

        return called

    inputs = {"x": "batch n", "w": "n m"}
    assert at_a_point((hidden(product_forward), hidden(product_backward)), inputs).passed

    def wrong(dout, cache):
        dx, dw = product_backward(dout, cache)
        return 2 * dx, dw

    blames((hidden(product_forward), hidden(wrong)), "x", inputs)


def test_functions_of_jax_run_in_float64(at_a_point, blames):
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def cube(x):
        return jnp.sum(x**3)

    assert at_a_point((cube, jax.grad(cube)), {"x": "n"}).passed
    assert at_a_point((jax.value_and_grad(cube), True), {"x": "n"}).passed
    blames((cube, lambda x: jnp.multiply(x, x)), "x", {"x": "n"})


def test_a_constant_need_not_be_given_again_at_a_point():
    def power(x, options):
        return np.sum(x ** options["p"])

    def slope(x, options):
        return options["p"] * x ** (options["p"] - 1)

    inputs = {"x": "3", "options": constant({"p": 2})}
    for at in ({}, {"options": {"p": 3}}):
        assert check((power, slope), inputs, at={"x": np.arange(1.0, 4.0), **at}, seed=1).passed
