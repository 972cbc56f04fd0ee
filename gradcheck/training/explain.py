"""What sets two optimizers apart: experiments that each known difference answers in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gradcheck.training.drivers import Driver
from gradcheck.training.sequences import SHAPE, STEPS

CLOSE = 1e-6  # of a measured ratio; rounding leaves 1e-12, differences worth a name far more
LONG = 4000  # steps after which a bias correction with beta 0.999 is down to 1 %


@dataclass(frozen=True)
class Difference:
    """A fault's name (None: unknown), one sentence, and what to look for in the code."""

    fault: str | None
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Lab:
    """Both optimizers and the base rate, with runs from chosen weights and gradients."""

    theirs: Driver
    like: Driver
    lr: float
    failed: frozenset[str]

    def updates(self, of: Driver, weights: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """The change of the weights in each step, at the base rate."""
        after = of.run(weights, list(gradients), (self.lr,) * len(gradients))
        return np.diff(after, axis=0, prepend=weights[None])

    def both(self, weights: np.ndarray, gradients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Updates of theirs and of like."""
        return (
            self.updates(self.theirs, weights, gradients),
            self.updates(self.like, weights, gradients),
        )

    def draws(self, scale: float = 1.0, steps: int = 1) -> np.ndarray:
        """Gradients (steps, *shape), the same whenever asked."""
        return scale * np.random.default_rng(1).uniform(0.5, 2.0, (steps, *SHAPE))


def explain(theirs: Driver, like: Driver, lr: float, failed: set[str]) -> Difference:
    """The first known difference that the experiments confirm."""
    lab = Lab(theirs, like, lr, frozenset(failed))
    for law in _laws():
        found = law(lab)
        if found is not None:
            return found
    return Difference(None, "the weights move otherwise than those of the optimizer it is held to")


def _laws() -> Iterator[Callable[[Lab], Difference | None]]:
    yield _accumulates
    yield _weight_decay
    yield _epsilon
    yield _nesterov
    yield _factor
    yield _rate_in_memory
    yield _memory


def _alike(a: np.ndarray, b: np.ndarray, close: float = CLOSE) -> bool:
    return bool(np.all(np.abs(a - b) <= close * np.maximum(np.abs(a), np.abs(b))))


def _accumulates(lab: Lab) -> Difference | None:
    zero, g = np.zeros(SHAPE), lab.draws(steps=STEPS)
    theirs, like = lab.both(zero, g)
    summed = lab.updates(lab.like, zero, np.cumsum(g, axis=0))
    if _alike(theirs, like) or not _alike(theirs, summed):
        return None
    return Difference(
        "gradient not zeroed",
        "each step uses the sum of all gradients so far: the gradient is not zeroed",
        "a missing zero_grad, or `grad +=` into a buffer that is never cleared",
    )


def _weight_decay(lab: Lab) -> Difference | None:
    """The same from zero weights, not from others: the weights enter the update otherwise."""
    g, w = lab.draws(), lab.draws()[0]
    at_zero, at_w = lab.both(np.zeros(SHAPE), g), lab.both(w, g)
    if not _alike(*at_zero, 1e-9) or _alike(*at_w, 1e-9):
        return None
    still = np.zeros((1, *SHAPE))
    pulls = [_pull(lab, of, w, still) for of in (lab.theirs, lab.like)]
    words = {0: "no weight decay", 1: "a decay apart from the rule", 2: "a decay inside the rule"}
    known = {0: "missing", 1: "decoupled", 2: "coupled"}
    said = f"weight decay: {words[pulls[0]]} where {words[pulls[1]]} is expected"
    if pulls[0] == pulls[1]:
        return Difference(
            "weight decay", "the weights decay by another factor", "its size, lr in it"
        )
    return Difference(
        f"weight decay {known[pulls[0]]}",
        said,
        "whether decay is added to the gradient (L2) or not",
    )


def _pull(lab: Lab, of: Driver, w: np.ndarray, still: np.ndarray) -> int:
    """Without a gradient: 0 the weights stay, 1 they shrink in proportion, 2 otherwise."""
    once, twice = lab.updates(of, w, still), lab.updates(of, 2 * w, still)
    if not once.any():
        return 0
    return (
        1
        if _alike(2 * once, twice)
        and _alike(once / w, np.full_like(once, once.flat[0] / w.flat[0]))
        else 2
    )


def _epsilon(lab: Lab) -> Difference | None:
    """The same for large gradients, not for tiny ones: the floor under the root differs."""
    zero = np.zeros(SHAPE)
    if not _alike(*lab.both(zero, lab.draws(1e9)), 1e-3):
        return None
    g = lab.draws(1e-25)
    theirs, like = lab.both(zero, g)
    if _alike(theirs, like) or not (theirs.all() and like.all()):
        return None
    floors = [float(np.median(np.abs(lab.lr * g / d))) for d in (theirs, like)]
    a, b = floors
    told = f"epsilon acts like {a:.3g} where {b:.3g} is expected"
    if abs(a - b**0.5) < CLOSE * a:
        return Difference(
            "epsilon inside the root", f"{told}: it stands inside the root", "sqrt(v + eps)"
        )
    if abs(b - a**0.5) < CLOSE * b:
        told = f"{told}: it stands outside the root"
        return Difference("epsilon outside the root", told, "sqrt(v) + eps")
    return Difference("epsilon", told, "its size, or a bias correction that scales it")


def _nesterov(lab: Lab) -> Difference | None:
    """The first update has one momentum too many or too few: it looks ahead, or does not."""
    zero, g = np.zeros(SHAPE), lab.draws(steps=2)
    g[1] = 0
    theirs, like = lab.both(zero, g)
    if not (theirs.all() and like.all()):
        return None
    ratio, carried = theirs[0] / like[0], (theirs[1] / theirs[0], like[1] / like[0])
    if _alike(ratio, 1 + carried[1]):
        return Difference("nesterov", "Nesterov's look ahead where plain momentum is expected")
    if _alike(ratio, 1 / (1 + carried[0])):
        return Difference("nesterov missing", "plain momentum where Nesterov's is expected")
    return None


def _factor(lab: Lab) -> Difference | None:
    """The first update is a multiple of the expected one."""
    theirs, like = lab.both(np.zeros(SHAPE), lab.draws())
    if not like.all():
        return None
    ratio = theirs / like
    k = float(ratio.flat[0])
    if not _alike(ratio, np.full_like(ratio, k)) or abs(k - 1) < CLOSE:
        return None
    if abs(k + 1) < CLOSE:
        return Difference("sign flipped", "the update has the wrong sign: it climbs", "w += lr g")
    constant = np.broadcast_to(lab.draws(), (LONG, *SHAPE))
    end = [d[-1] for d in lab.both(np.zeros(SHAPE), constant)]
    if k > 0 and np.all(np.abs(end[0] / end[1] - 1) < 0.2 * abs(k - 1)):
        told = f"the first update is {k:.4g} times the expected one and later ones approach it"
        return Difference("bias correction", f"{told}: a bias correction differs", "1 - beta^t")
    return Difference(
        f"scaled by {k:.6g}", f"the first update is {k:.6g} times the expected one", "lr, momentum"
    )


def _rate_in_memory(lab: Lab) -> Difference | None:
    if lab.failed != {"changing rate"}:
        return None
    return Difference(
        "learning rate in the velocity",
        "the same at a constant rate, not when it changes: one keeps the rate inside its velocity,"
        " the other multiplies its velocity by it",
        "v = mu v - lr g; w += v  against  v = mu v + g; w -= lr v",
    )


def _memory(lab: Lab) -> Difference | None:
    """The first step is right: what is carried to the next one is not."""
    zero = np.zeros(SHAPE)
    g = lab.draws(steps=2)
    g[1] = 0
    theirs, like = lab.both(zero, g)
    if not _alike(theirs[:1], like[:1]) or "one step" in lab.failed:
        return None
    on = [float(np.median(d[1] / d[0])) for d in (theirs, like)]
    told = "the first step is right and later ones are not"
    if abs(on[0] - on[1]) > CLOSE:
        told += f": without a gradient the weights move on by {on[0]:.4g} of it, not {on[1]:.4g}"
    return Difference(
        "state carried between steps", told, "momentum, averaging factors, step count"
    )
