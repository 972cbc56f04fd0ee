"""Differences that a single update shows."""

from __future__ import annotations

import numpy as np

from gradcheck.training.drivers import Driver
from gradcheck.training.lab import CLOSE, Difference, Lab, alike
from gradcheck.training.sequences import SHAPE

# float32 leaves 2^-24 of a number, a few operations of it 2^-21; anything else of that size is
# told by what scale does to it: rounding is the same share at every scale.
COARSE = 2.0**-19
FINE = 2.0**-40
SCALES = (2.0**-20, 1.0, 2.0**20)


def still(lab: Lab) -> Difference | None:
    """Some entries never move, or none does."""
    theirs, like = lab.both(lab.draws()[0], lab.draws(steps=4))
    stuck = ~theirs.any(axis=0) & like.all(axis=0)
    if not stuck.any():
        return None
    if stuck.all():
        return Difference("never updated", "the weights do not move at all", "what is assigned to")
    first = [int(i) for i in np.argwhere(stuck)[0]]
    told = f"{int(stuck.sum())} of {stuck.size} entries never move, the first at {first}"
    return Difference("entries never updated", told, "a slice, a mask, a loop that ends early")


def weight_decay(lab: Lab) -> Difference | None:
    """The same from zero weights, not from others: the weights enter the update otherwise."""
    g, w = lab.draws(), lab.draws()[0]
    at_zero, at_w = lab.both(np.zeros(SHAPE), g), lab.both(w, g)
    if not alike(*at_zero, 1e-9) or alike(*at_w, 1e-9):
        return None
    still = np.zeros((1, *SHAPE))
    pulls = [_pull(lab, of, w, still) for of in (lab.theirs, lab.like)]
    words = {0: "no weight decay", 1: "a decay apart from the rule", 2: "a decay inside the rule"}
    known = {0: "missing", 1: "decoupled", 2: "coupled"}
    said = f"weight decay: {words[pulls[0]]} where {words[pulls[1]]} is expected"
    if pulls[0] == pulls[1]:
        amounts = [lab.updates(of, w, still)[0] for of in (lab.theirs, lab.like)]
        k = float(np.median(amounts[0] / amounts[1]))
        told = f"the weights decay by {k:.4g} times what is expected"
        return Difference("weight decay", told, "its size, its sign, lr in it")
    return Difference(
        f"weight decay {known[pulls[0]]}",
        said,
        "whether decay is added to the gradient (L2) or not",
    )


def _pull(lab: Lab, of: Driver, w: np.ndarray, still: np.ndarray) -> int:
    """Without a gradient: 0 the weights stay, 1 they shrink in proportion, 3 all by as much, 2
    otherwise."""
    once, twice = lab.updates(of, w, still), lab.updates(of, 2 * w, still)
    if not once.any():
        return 0
    return (
        1
        if alike(2 * once, twice) and alike(once / w, np.full_like(once, once.flat[0] / w.flat[0]))
        else 2
    )


def epsilon(lab: Lab) -> Difference | None:
    """The same for large gradients, not for tiny ones: the floor under the root differs."""
    zero = np.zeros(SHAPE)
    if not alike(*lab.both(zero, lab.draws(1e9)), 1e-3):
        return None
    g = lab.draws(1e-25)
    theirs, like = lab.both(zero, g)
    if alike(theirs, like) or not (theirs.all() and like.all()):
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


def precision(lab: Lab) -> Difference | None:
    """Off by a small share from the first step on, at no scale by more, and irregularly."""
    gaps = []
    for scale in SCALES:
        theirs, like = lab.both(lab.draws(scale)[0], lab.draws(scale, steps=4))
        whole = np.abs(like).max()
        if not whole:
            return None
        gaps.append((np.abs(theirs - like).max(axis=(1, 2)) / whole).tolist())
    worst = max(max(gap) for gap in gaps)
    if worst >= COARSE or max(gap[0] for gap in gaps) <= FINE:
        return None
    theirs, like = lab.both(np.zeros(SHAPE), lab.draws())
    off = theirs / like - 1
    if abs(off.mean()) > FINE and alike(off, np.full_like(off, off.mean()), 0.1):
        return None  # a factor, however near to 1
    told = f"right to {worst:.0e} of the update only, at no scale worse"
    return Difference("precision lost", told, "float32 state, weights or rate; a cast")


def negligible(lab: Lab) -> Difference | None:
    """Gradients below some size are taken for zero."""
    theirs, like = lab.both(np.zeros(SHAPE), lab.draws(1e-10))
    if theirs.any() or not like.all():
        return None
    told = "gradients of 1e-10 do not move the weights at all"
    return Difference("small gradients ignored", told, "a threshold, a test for zero")


def rate_power(lab: Lab) -> Difference | None:
    """How an update grows with the rate: like the rate, its square, or not at all."""
    if not (lab.theirs.rated and lab.like.rated):
        return None
    a, b = (_growth(lab, of, rate=2.0) for of in (lab.theirs, lab.like))
    if a is None or b is None or abs(a - b) < 0.4:  # else a part alone follows it otherwise
        return None
    if a == 0:
        told = "the update does not depend on the learning rate"
        return Difference("learning rate ignored", told, "the rate of a default, a constant")
    return Difference(
        "learning rate applied twice" if a == b + 1 else "learning rate",
        f"the update goes with the rate to the power {a:g}, not {b:g}",
        "lr in the gradient or the velocity, and again in the update",
    )


def power(lab: Lab) -> Difference | None:
    """How the first update grows with the gradient: a root or a square too many or too few."""
    a, b = (_growth(lab, of, gradient=2.0) for of in (lab.theirs, lab.like))
    if a is None or b is None or a == b:
        return None
    told = f"the first update goes with the gradient to the power {a:g}, not {b:g}"
    return Difference("power of the gradient", told, "sqrt, a square, a sign, a normalisation")


def _growth(lab: Lab, of: Driver, rate: float = 1.0, gradient: float = 1.0) -> float | None:
    """The power of these factors by which all entries grow, at two scales; None for no power."""
    powers, zero = set(), np.zeros(SHAPE)
    for scale in (1.0, 1e3):
        g = lab.draws(scale)
        single = lab.updates(of, zero, g)
        double = lab.updates(of, zero, gradient * g, rate=rate * lab.lr)
        if not (single.all() and double.all()):
            return None
        ratios = double / single
        if np.any(ratios <= 0) or not alike(ratios, np.full_like(ratios, ratios.flat[0]), 1e-4):
            return None
        powers.add(round(float(np.log2(ratios.flat[0])), 3) + 0.0)
    return powers.pop() if len(powers) == 1 else None


def clipping(lab: Lab) -> Difference | None:
    """The same for small gradients, not for large ones, of which one takes no more than a bound."""
    zero = np.zeros(SHAPE)
    if not alike(*lab.both(zero, lab.draws(1e-4)), 1e-4):
        return None
    if alike(*lab.both(zero, lab.draws(1e6)), 1e-4):
        return None
    kinds = [_bound(lab, of) for of in (lab.theirs, lab.like)]
    if kinds[0] == kinds[1] == "no clipping":
        return None
    if kinds[0] == kinds[1]:
        return Difference(
            "clipping", f"{kinds[0]} at another bound", "the limit, the norm's arrays"
        )
    name = "clipping missing" if kinds[0] == "no clipping" else kinds[0]
    return Difference(name, f"{kinds[0]} where {kinds[1]} is expected", "clip, norm, limit")


def _bound(lab: Lab, of: Driver) -> str:
    zero, g = np.zeros(SHAPE), lab.draws(1e6)
    once, twice = lab.updates(of, zero, g)[0], lab.updates(of, zero, 2 * g)[0]
    if not alike(once, twice, 1e-3):
        return "no clipping"
    if alike(np.abs(once), np.full_like(once, np.abs(once.flat[0])), 1e-3):
        return "clipping by value"
    shares = once / g[0]
    same = alike(shares, np.full_like(shares, shares.flat[0]), 1e-3)
    return "clipping by norm" if same else "bounded update"
