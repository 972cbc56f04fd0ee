"""Problems made of a NumPy function and a claim, in one line each."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.backends import backend
from gradcheck.judgement import judge
from gradcheck.judgement.problem import Judgement, Problem


def problem(forward: Callable, vjp: Callable, point: Mapping[str, Any], **options) -> Problem:
    """Names are the inexact inputs; forward may return one array or a tuple."""
    arrays = {name: np.asarray(x) for name, x in point.items()}

    def outputs(given):
        y = forward(**given)
        return y if isinstance(y, tuple) else (y,)

    def claim(cotangent, given):
        return vjp(cotangent if len(cotangent) > 1 else cotangent[0], **given)

    return Problem(
        forward=outputs,
        vjp=claim,
        point=arrays,
        names=tuple(name for name, x in arrays.items() if x.dtype.kind in "fc"),
        backend=backend("numpy"),
        **options,
    )


def judged(
    forward, vjp, point, seed=0, known: frozenset[str] = frozenset(), **options
) -> dict[str, Judgement]:
    """Verdicts at a random cotangent."""
    return _at_random(problem(forward, vjp, point, **options), seed, known)


def _at_random(
    made: Problem, seed: int, known: frozenset[str] = frozenset()
) -> dict[str, Judgement]:
    rng = np.random.default_rng([seed, 1])
    with np.errstate(all="ignore"):
        outputs = made.forward({k: np.array(x) for k, x in made.point.items()})
        cotangent = tuple(_signs(np.asarray(y), rng) for y in outputs)
        return judge(made, cotangent, seed=seed, known=known)


def _signs(y, rng):
    def draw():
        return rng.choice([-1.0, 1.0], y.shape) * rng.uniform(0.5, 1, y.shape)

    return draw() + 1j * draw() if np.iscomplexobj(y) else draw()


def one(forward, vjp, x, seed=0, **options) -> Judgement:
    """The verdict on a function of x alone; vjp(u, x) returns the array."""
    made = problem(
        lambda **given: forward(given["x"]), lambda u, x: {"x": vjp(u, x)}, {"x": x}, **options
    )
    return _at_random(made, seed)["x"]


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal numbers of a fixed seed."""
    return np.random.default_rng(seed).standard_normal(shape)
