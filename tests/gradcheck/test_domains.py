"""Domains: what is drawn lies on the set, and layers that live on one are told right from wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradcheck import Subject, UsageError, array, check
from gradcheck.domains import DOMAINS, distinct, orthogonal, simplex, sorted_, spd
from gradcheck.examples import is_legal
from gradcheck.inputs import as_inputs
from gradcheck.values import STYLES, Fill, fill

SHAPES = {"orthogonal": "... m n", "symmetric": "... n n", "spd": "... n n"}


def shape_of(name):
    return SHAPES.get(name, "... m n")


def gaps(values):
    return np.diff(np.sort(values.ravel()))


def largest_of_each(x):
    """By matrix, beside its eigenvalues."""
    return np.abs(x).max((-2, -1), initial=0.0)[..., None]


def eigenvalues(matrices):
    return np.linalg.eigvalsh(matrices) if matrices.size else np.ones(0)


def is_orthonormal(q):
    if q.shape[-1] > q.shape[-2]:
        q = np.swapaxes(q, -1, -2)
    return np.allclose(np.swapaxes(q, -1, -2) @ q, np.eye(q.shape[-1]), atol=1e-13)


MEMBER = {
    "positive": lambda x: (x > 0).all(),
    "unit interval": lambda x: ((x > 0) & (x < 1)).all(),
    "simplex": lambda x: (x > 0).all() and np.allclose(x.sum(-1), 1, rtol=1e-14),
    "orthogonal": is_orthonormal,
    "symmetric": lambda x: np.array_equal(x, np.swapaxes(x, -1, -2)),
    "spd": lambda x: (
        np.array_equal(x, np.swapaxes(x, -1, -2))
        and (eigenvalues(x) > 1e-3 * largest_of_each(x) / max(x.shape[-1], 1)).all()
    ),
    "sorted": lambda x: (np.diff(x, axis=-1) > 0).all(),
    "distinct": lambda x: len(np.unique(x)) == x.size,
    "one-hot": lambda x: np.isin(x, (0, 1)).all() and (x.sum(-1) == 1).all(),
}


def test_every_domain_says_here_what_it_holds():
    assert set(MEMBER) == set(DOMAINS)


@pytest.mark.parametrize("name", DOMAINS)
@settings(deadline=None)
@given(
    style=st.sampled_from(list(STYLES)),
    scale=st.sampled_from([0, 3, -10, -30]),
    sizes=st.tuples(st.integers(0, 17), st.integers(0, 17)),
    leading=st.sampled_from([(), (2,), (0,), (2, 3)]),
    seed=st.integers(0, 999),
)
def test_what_is_drawn_lies_on_the_set(name, style, scale, sizes, leading, seed):
    item = array(shape_of(name), domain=name)
    named = dict(zip("mn", sizes, strict=True))
    subject = Subject("any", lambda x: x, lambda u, x: {"x": u}, {"x": item})
    if not is_legal(subject, named, leading):
        assert not DOMAINS[name].empty
        assert named["n"] == 0
        return
    how = Fill(style, scale if DOMAINS[name].scales else 0, seed)
    drawn = fill(item, how, named, leading)
    assert drawn.shape == item.shape.sizes(named, leading)
    assert drawn.dtype == np.float64
    assert np.isfinite(drawn).all()
    assert MEMBER[name](drawn), drawn
    assert np.array_equal(drawn, fill(item, how, named, leading))


@pytest.mark.parametrize("name", DOMAINS)
def test_points_differ_and_scales_are_covered(name):
    item, sizes = array(shape_of(name), domain=name), {"m": 3, "n": 4}
    points = {fill(item, Fill("generic", 0, seed), sizes, ()).tobytes() for seed in range(20)}
    assert len(points) == 20 if name != "one-hot" else len(points) > 10
    small = fill(item, Fill("generic", -30, 1), sizes, ())
    usual = fill(item, Fill("generic", 0, 1), sizes, ())
    if DOMAINS[name].scales:
        assert np.allclose(small * 2.0**30, usual, rtol=1e-12)


@pytest.mark.parametrize("name", [n for n, d in DOMAINS.items() if d.onto is not None])
def test_a_map_leaves_its_numbers_alone(name):
    numbers = np.arange(16.0).reshape(4, 4)
    before = numbers.copy()
    mapped = DOMAINS[name].onto(numbers)
    assert np.array_equal(numbers, before)
    assert not np.shares_memory(mapped, numbers)


def test_gaps_are_a_share_of_the_whole():
    ties = np.zeros((4, 5))
    assert (np.diff(sorted_(ties), axis=-1) >= 0.04).all()
    assert gaps(distinct(ties)).min() >= 0.01
    wide = np.array([[1.0, 64.0, 1.0, -64.0]])
    assert np.array_equal(np.argsort(distinct(wide)), [[3, 0, 2, 1]])
    # Numbers that are apart already stay as they are.
    assert np.array_equal(sorted_(np.array([3.0, 1.0, 2.0])), [1.0, 2.0, 3.0])


def test_simple_numbers_stay_simple():
    assert np.array_equal(simplex(np.array([1.0, -1.0, 2.0])), [0.25, 0.25, 0.5])
    assert np.array_equal(orthogonal(np.zeros((3, 3))), np.eye(3))
    assert np.array_equal(spd(np.zeros((2, 2))), np.eye(2) / 8)


@pytest.mark.parametrize(
    ("shape", "options", "said"),
    [
        ("n", {"domain": "ball"}, "domain='ball', expected one of 'positive', 'unit interval'"),
        ("", {"domain": "simplex"}, "domain='simplex' needs 1 axes, shape='' has 0"),
        ("n", {"domain": "spd"}, "domain='spd' needs 2 axes, shape='n' has 1"),
        ("n m", {"domain": "spd"}, "last two axes equal, shape='n m' has 'n' and 'm'"),
        ("n", {"domain": "positive", "low": 0.0}, "domain='positive' and low=0.0"),
        ("n", {"domain": "positive", "open": True}, "domain='positive' and open=True"),
        ("n n", {"domain": "orthogonal", "complex": True}, "domain='orthogonal' and complex=True"),
    ],
)
def test_a_domain_that_cannot_be_is_one_line(shape, options, said):
    with pytest.raises(UsageError, match="array: ") as raised:
        array(shape, **options)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_one_hot_rows_get_no_gradient():
    inputs = as_inputs({"y": array("batch classes", domain="one-hot"), "x": "batch classes"}, "s")
    assert not inputs["y"].differentiable
    assert array("n", domain="positive").differentiable
    assert not array("n", domain="positive", differentiable=False).differentiable


# -- layers -------------------------------------------------------------------------------------


def one(name, domain, forward, vjp, wrong, shape="n", **others):
    """(right, wrong): a layer of one constrained input `x`, and the same with a faulty vjp."""
    inputs = {"x": array(shape, domain=domain), **others}
    right = Subject(name, forward, vjp, inputs)
    return right, right.but(name=f"wrong {name}", vjp=wrong)


def logdet(x):
    return np.linalg.slogdet(x)[1]


def cholesky_vjp(u, x, half=0.5):
    """Murray (2016), Differentiation of the Cholesky decomposition, of the lower triangle read."""
    factor = np.linalg.cholesky(x)
    inner = np.tril(factor.T @ u)
    inner[np.diag_indices(len(x))] *= half
    inverse = np.linalg.inv(factor)
    whole = inverse.T @ inner @ inverse
    lower = np.tril(whole + whole.T)
    lower[np.diag_indices(len(x))] /= 2
    return {"x": lower}


def interpolate(x, q):
    """Piecewise linear through (x_k, k) at one query inside each interval: q in (0, 1)."""
    return (x[1:] - x[:-1]) * q[: len(x) - 1] + x[:-1]


def ranked(x):
    return np.sort(x.ravel())[::-1] * np.arange(x.size)


def ranked_vjp(u, x, order=lambda x: np.argsort(x.ravel())[::-1]):
    gradient = np.zeros(x.size)
    gradient[order(x)] = u * np.arange(x.size)
    return {"x": gradient.reshape(x.shape)}


def cross_entropy(z, y):
    z = z - z.max(-1, keepdims=True)
    return -(y * (z - np.log(np.exp(z).sum(-1, keepdims=True)))).sum()


def cross_entropy_vjp(u, z, y, sign=-1.0):
    e = np.exp(z - z.max(-1, keepdims=True))
    return {"z": u * (e / e.sum(-1, keepdims=True) + sign * y)}


LAYERS = {
    "positive": one(
        "log", "positive", np.log, lambda u, x: {"x": u / x}, lambda u, x: {"x": u / (x + 1e-6)}
    ),
    "unit interval": one(
        "logit", "unit interval", lambda x: np.log(x / (1 - x)),
        lambda u, x: {"x": u / (x * (1 - x))}, lambda u, x: {"x": u / (x * (1 + x))},
    ),
    "simplex": one(
        "entropy", "simplex", lambda x: -(x * np.log(x)).sum(-1),
        lambda u, x: {"x": -u[..., None] * (np.log(x) + 1)},
        lambda u, x: {"x": -u[..., None] * np.log(x)}, shape="batch classes",
    ),
    "inverse of softmax": one(
        "centred log", "simplex", lambda x: np.log(x) - np.log(x).mean(-1, keepdims=True),
        lambda u, x: {"x": (u - u.mean(-1, keepdims=True)) / x},
        lambda u, x: {"x": u / x}, shape="batch classes",
    ),
    "orthogonal": one(
        "rotate back", "orthogonal", lambda x: x.T @ x[:, ::-1],
        lambda u, x: {"x": x[:, ::-1] @ u.T + (x @ u)[:, ::-1]},
        lambda u, x: {"x": (x @ u)[:, ::-1]}, shape="n n",
    ),
    "symmetric": one(
        "trace of cube", "symmetric", lambda x: np.trace(x @ x @ x),
        lambda u, x: {"x": 3 * u * (x @ x).T}, lambda u, x: {"x": 3 * u * (x * x).T}, shape="n n",
    ),
    "spd": one(
        "logdet", "spd", logdet, lambda u, x: {"x": u * np.linalg.inv(x).T},
        lambda u, x: {"x": u * np.linalg.inv(np.triu(x)).T}, shape="n n",
    ),
    "cholesky": one(
        "cholesky", "spd", np.linalg.cholesky, cholesky_vjp,
        lambda u, x: cholesky_vjp(u, x, half=1.0), shape="n n",
    ),
    "sorted": one(
        "interpolate", "sorted", interpolate,
        lambda u, x, q: {
            "x": np.append((1 - q[: len(x) - 1]) * u, 0.0)
            + np.insert(q[: len(x) - 1] * u, 0, 0.0)
        },
        lambda u, x, q: {"x": np.append((1 - q[: len(x) - 1]) * u, 0.0)},
        q=array("n", domain="unit interval", differentiable=False),
    ),
    "distinct": one(
        "ranked", "distinct", ranked, ranked_vjp,
        lambda u, x: ranked_vjp(u, x, lambda x: np.argsort(x.ravel())), shape="n m",
    ),
}  # fmt: skip
LABELS = {"z": "batch classes", "y": array("batch classes", domain="one-hot")}
ENTROPY = Subject("cross entropy", cross_entropy, cross_entropy_vjp, LABELS)
LAYERS["one-hot"] = (
    ENTROPY,
    ENTROPY.but(vjp=lambda u, z, y: cross_entropy_vjp(u, z, y, sign=1.0)),
)
# At least one entry where there is nothing to take a largest of, or no interval.
DIMS = {"interpolate": {"n": (1, 19)}}


def test_every_domain_has_its_layers():
    assert set(DOMAINS) <= set(LAYERS)


@pytest.mark.parametrize("name", LAYERS)
def test_a_correct_layer_passes(name):
    subject = LAYERS[name][0]
    report = check(subject.but(dims=DIMS.get(subject.name)), seed=8)
    assert report.passed, str(report)
    assert report.examples >= 25


@pytest.mark.parametrize("name", LAYERS)
def test_a_wrong_layer_fails(name):
    right, wrong = LAYERS[name]
    report = check(wrong.but(dims=DIMS.get(right.name)), seed=8)
    assert report.verdict == "wrong", str(report)
    smallest = report.findings[0]
    assert smallest.input == ("z" if name == "one-hot" else "x")
    constrained = "y" if name == "one-hot" else "x"
    item = right.inputs[constrained].domain
    domain = next(n for n, d in DOMAINS.items() if d is item)
    assert MEMBER[domain](smallest.example[constrained])
    assert smallest.example[constrained].size <= 9  # it shrank


def test_steps_stay_within_the_bounds_of_the_set():
    seen = []

    def forward(x):
        seen.append(x.min(initial=np.inf))
        return np.log(x).sum(-1)

    vjp = lambda u, x: {"x": u[..., None] / x}  # noqa: E731 - one line of a test
    inputs = {"x": array("batch classes", domain="simplex")}
    assert check(Subject("log", forward, vjp, inputs), seed=2).passed
    assert min(seen) > 0


def test_forward_is_stepped_off_the_set():
    """The law of the docstring: what forward computes from all entries is what is verified."""
    half = Subject(
        "half", lambda x: np.trace(np.tril(x) @ np.tril(x).T),
        lambda u, x: {"x": 2 * u * np.tril(x)}, {"x": array("n n", domain="symmetric")},
    )  # fmt: skip
    along = half.but(vjp=lambda u, x: {"x": u * (np.tril(x) + np.tril(x).T)})
    assert check(half, seed=3).passed
    assert check(along, seed=3).verdict == "wrong"


# -- along the set ------------------------------------------------------------------------------


def symmetrised_cholesky_vjp(u, x, half=0.5):
    """The gradient that textbooks give: of the symmetric matrix, half of it on either side."""
    whole = cholesky_vjp(u, x, half)["x"]
    return {"x": (whole + whole.T) / 2}


def along(name, domain, forward, vjp, wrong, shape, **options):
    """(right, wrong) along a set; neither is the gradient of all entries."""
    inputs = {"x": array(shape, domain=domain, steps="along")}
    right = Subject(name, forward, vjp, inputs, **options)
    return right, right.but(name=f"wrong {name}", vjp=wrong)


ALONG = {
    "spd": along(
        "cholesky", "spd", np.linalg.cholesky, symmetrised_cholesky_vjp,
        lambda u, x: symmetrised_cholesky_vjp(u, x, half=1.0), "n n",
    ),
    "symmetric": along(
        "quartic of the lower triangle", "symmetric", lambda x: (np.tril(x) ** 4).sum(),
        lambda u, x: {"x": 2 * u * (np.tril(x) ** 3 + np.tril(x).T ** 3)},
        lambda u, x: {"x": 4 * u * (np.tril(x) ** 3 + np.tril(x).T ** 3)}, "n n",
    ),
    "orthogonal": along(
        "inverse", "orthogonal", np.linalg.inv,
        lambda u, x: {"x": u.T}, lambda u, x: {"x": -u}, "n n",
    ),
    "simplex": along(
        "entropy", "simplex", lambda x: -(x * np.log(x)).sum(-1),
        lambda u, x: {"x": -u[..., None] * np.log(x)},
        lambda u, x: {"x": -u[..., None] * (np.log(x) + x)}, "batch classes",
    ),
}  # fmt: skip


def freely(subject):
    """The same subject with the law of free steps."""
    domain = next(n for n, d in DOMAINS.items() if d is subject.inputs["x"].domain)
    return subject.but(inputs={"x": array(subject.inputs["x"].shape.text, domain=domain)})


def test_every_set_thinner_than_its_space_has_its_layer_along_it():
    assert set(ALONG) == {name for name, d in DOMAINS.items() if d.near is not None}


@pytest.mark.parametrize("name", ALONG)
def test_a_gradient_right_along_the_set_passes_there_alone(name):
    right, _ = ALONG[name]
    report = check(right, seed=8)
    assert report.passed, str(report)
    assert report.examples >= 25
    freed = check(freely(right), seed=8, examples=4, checks=["gradient"])
    assert freed.verdict == "wrong"


@pytest.mark.parametrize("name", ALONG)
def test_a_mistake_along_the_set_is_found(name):
    report = check(ALONG[name][1], seed=8, examples=4, checks=["gradient"])
    assert report.verdict == "wrong", str(report)
    assert report.findings[0].input == "x"


def tall_points():
    rng = np.random.default_rng(4)
    for shape in ((4, 4), (5, 3), (3, 5), (2, 4, 3)):
        yield rng.standard_normal(shape), rng.standard_normal(shape), rng.standard_normal(shape)


@pytest.mark.parametrize("name", ALONG)
def test_the_derivative_of_the_map_and_its_transpose(name):
    found = DOMAINS[name]
    for x, v, g in tall_points():
        if found.square and x.shape[-1] != x.shape[-2]:
            continue
        x = np.abs(x) if name == "simplex" else x
        step = 2.0**-17
        slope = (found.near(x + step * v) - found.near(x - step * v)) / (2 * step)
        assert np.allclose(found.pushed(x, v), slope, atol=1e-6)
        assert np.vdot(g, found.pushed(x, v)) == pytest.approx(np.vdot(found.pulled(x, g), v))
        assert MEMBER[name](found.near(x)) or name == "spd"
        assert np.allclose(found.near(found.near(x)), found.near(x), rtol=1e-14, atol=1e-14)


def test_torch_functions_are_judged_along_the_set():
    torch = pytest.importorskip("torch")

    class Inverse(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.linalg.inv(x)

        @staticmethod
        def backward(ctx, u):
            return u.mT

    class Wrong(Inverse):
        @staticmethod
        def backward(ctx, u):
            return -u

    inputs = {"x": array("n n", domain="orthogonal", steps="along")}
    assert check(Inverse, inputs, seed=3, examples=9).passed
    free = {"x": array("n n", domain="orthogonal")}
    few = {"seed": 3, "examples": 4, "checks": ["gradient"]}
    assert check(Wrong, inputs, **few).verdict == "wrong"
    assert check(Inverse, free, **few).verdict == "wrong"


@pytest.mark.parametrize("as_subject", [False, True], ids=["callable", "subject"])
def test_a_twin_is_compared_along_the_set(as_subject):
    """It gives the gradient of the lower triangle that is read, the claim a symmetric one."""
    torch = pytest.importorskip("torch")
    right, wrong = ALONG["spd"]

    def lower(x):
        return torch.linalg.cholesky(torch.tril(x) + torch.tril(x, -1).mT)

    twin = Subject("lower", np.linalg.cholesky, cholesky_vjp, right.inputs) if as_subject else lower
    few = {"seed": 8, "examples": 4, "checks": ["twin"]}
    report = check(right.but(twin=twin), seed=8, checks=["twin", "gradient"])
    assert report.passed, str(report)
    assert check(wrong.but(twin=twin), **few).verdict == "wrong"
    misled = right.but(twin=lambda x: 2 * lower(x) - lower(x).detach())
    assert check(misled, **few).verdict == "wrong"


def test_forward_mode_is_compared_along_the_set():
    """It is of the lower triangle that is read, the claim a symmetric one."""
    right, _ = ALONG["symmetric"]
    jvp = lambda t, x: (4 * np.tril(x) ** 3 * t["x"]).sum()  # noqa: E731 - one line of a test
    wrong = lambda t, x: (4 * np.tril(x, -1) ** 3 * t["x"]).sum()  # noqa: E731
    assert check(right.but(jvp=jvp), seed=3).passed
    failed = check(right.but(jvp=wrong), seed=3, examples=4, checks=["forward_mode"])
    assert failed.verdict == "wrong"


def test_second_order_is_not_judged_along_the_set():
    torch = pytest.importorskip("torch")
    inputs = {"x": array("n", domain="simplex", steps="along")}
    report = check(lambda x: (x**3).sum(), inputs, framework="torch", seed=3)
    assert report.passed, str(report)
    assert "along a set" in str(report.remarks)
    assert torch


def test_a_point_off_the_set_is_one_line():
    with pytest.raises(UsageError, match=r"at: `x` is .* off the set"):
        check(ALONG["simplex"][0], at={"x": np.array([[0.5, 0.6]])}, seed=1)
    assert check(ALONG["simplex"][0], at={"x": np.array([[0.25, 0.75]])}, seed=1).passed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"domain": "sorted", "steps": "along"}, "steps='along' with domain='sorted', expected"),
        ({"steps": "along"}, "steps='along' with domain=None, expected one of 'simplex'"),
        ({"domain": "spd", "steps": "on"}, "steps='on', expected 'free' or 'along'"),
    ],
)
def test_steps_that_cannot_be_are_one_line(options, said):
    with pytest.raises(UsageError, match="array: ") as raised:
        array("n n", **options)
    assert said in str(raised.value)
