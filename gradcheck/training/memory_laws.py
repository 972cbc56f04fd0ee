"""Differences in what is carried from step to step, and between parameters."""

from __future__ import annotations

import numpy as np

from gradcheck.training.lab import CLOSE, Difference, Lab, alike
from gradcheck.training.sequences import (
    AGAIN,
    CHANGING,
    LONG,
    SCHEDULE,
    SEVERAL,
    SHAPE,
    STEPS,
)

ROUGH = 1e-4  # of a ratio in which an epsilon of 1e-7 beside a root may still be seen
LONG_RUN = 4000  # steps after which a bias correction with beta 0.999 is down to 1 %


def several(lab: Lab) -> Difference | None:
    """Right for one parameter, wrong for two."""
    if not lab.only(SEVERAL):
        return None
    g, w = lab.draws(steps=STEPS), lab.draws()[0]
    after = lab.theirs.run(w, list(g), (lab.lr,) * STEPS, rows=True)
    stuck = np.flatnonzero((after == w).all(axis=(0, 2)))
    if stuck.size:
        told = f"of {len(w)} parameters, number {int(stuck[0]) + 1} is never updated"
        return Difference("parameter never updated", told, "a break, a return inside the loop")
    return Difference(
        "state shared between parameters",
        "right for one parameter, wrong for several: they share what each should keep for itself",
        "a velocity, a mean square or a step count kept once, not for each parameter",
    )


def again(lab: Lab) -> Difference | None:
    if not lab.only(AGAIN):
        return None
    return Difference(
        "gradient kept by reference",
        "wrong once the next gradient is written into the memory of the last one",
        "state that is the gradient itself, where a copy (clone) is needed",
    )


def late(lab: Lab) -> Difference | None:
    """Right in every short run; from some step of the long one on it is another rule."""
    if not lab.only(LONG):
        return None
    step = lab.failed[LONG].evidence["step"]
    told = f"right in the first {step - 1} steps, another rule from step {step} on"
    return Difference("changes after some steps", told, "a counter, a warm-up, a reset")


def accumulates(lab: Lab) -> Difference | None:
    zero, g = np.zeros(SHAPE), lab.draws(steps=STEPS)
    theirs, like = lab.both(zero, g)
    summed = lab.updates(lab.like, zero, np.cumsum(g, axis=0))
    if alike(theirs, like) or not alike(theirs, summed):
        return None
    return Difference(
        "gradient not zeroed",
        "each step uses the sum of all gradients so far: the gradient is not zeroed",
        "a missing zero_grad, or `grad +=` into a buffer that is never cleared",
    )


def stale(lab: Lab) -> Difference | None:
    """Each step uses the gradient of the one before."""
    zero, g = np.zeros(SHAPE), lab.draws(steps=STEPS)
    theirs, like = lab.both(zero, g)
    if alike(theirs, like):
        return None
    for first in (np.zeros((1, *SHAPE)), g[:1]):
        if alike(theirs, lab.updates(lab.like, zero, np.concatenate([first, g[:-1]]))):
            return Difference(
                "stale gradient",
                "each step uses the gradient of the step before",
                "the order of computing the gradient and of updating",
            )
    return None


def shifted(lab: Lab) -> Difference | None:
    """Its step k is the expected step k + 1, or k - 1: a counter or a schedule is off by one."""
    if _ahead(lab, np.zeros(SHAPE)):
        said = _ahead(lab, lab.draws()[0])  # a decay that comes too early depends on the weights
        if said:
            told = f"its updates come one step too {said}"
            return Difference("schedule off by one", told, "where the step count is raised")
    return None


def _ahead(lab: Lab, weights: np.ndarray) -> str:
    """Whether the updates for a constant gradient come "early", or "late", by a step."""
    theirs, like = lab.both(weights, np.broadcast_to(lab.draws(), (STEPS, *SHAPE)))
    if alike(theirs, like) or alike(like[1:], like[:-1]):
        return ""
    if alike(theirs[:-1], like[1:]):
        return "early"
    return "late" if alike(theirs[1:], like[:-1]) else ""


def nesterov(lab: Lab) -> Difference | None:
    """The first update has one momentum too many or too few: it looks ahead, or does not."""
    zero, g = np.zeros(SHAPE), lab.draws(steps=2)
    g[1] = 0
    theirs, like = lab.both(zero, g)
    if not (theirs.all() and like.all()):
        return None
    ratio, carried = theirs[0] / like[0], (theirs[1] / theirs[0], like[1] / like[0])
    if alike(ratio, 1 + carried[1]):
        return Difference("nesterov", "Nesterov's look ahead where plain momentum is expected")
    if alike(ratio, 1 / (1 + carried[0])):
        return Difference("nesterov missing", "plain momentum where Nesterov's is expected")
    return None


def by_step(lab: Lab) -> Difference | None:
    """Each update is the expected one times a factor that depends on nothing but its number."""
    first, other = _factors(lab, 1.0, seed=1), _factors(lab, 1e3, seed=2)
    if first is None or other is None or not alike(first, other, ROUGH):
        return None
    if alike(first, np.full_like(first, first[0])):
        return None
    if abs(first[0] - 1) > CLOSE and _approach(lab, first[0]):
        told = (
            f"the first update is {first[0]:.4g} times the expected one and later ones approach it"
        )
        return Difference("bias correction", f"{told}: a bias correction differs", "1 - beta^t")
    shown = ", ".join(f"{k:.4g}" for k in first[:3])
    told = f"by step the updates are {shown}, ... times the expected ones, whatever the gradients"
    return Difference("schedule", told, "the rate of each step, a decay, a warm-up")


def _factors(lab: Lab, scale: float, seed: int) -> np.ndarray | None:
    """Theirs over like's by step, where all entries of a step have the same."""
    theirs, like = lab.both(np.zeros(SHAPE), lab.draws(scale, STEPS, seed))
    if not like.all():
        return None
    ratios = (theirs / like).reshape(STEPS, -1)
    same = alike(ratios, np.broadcast_to(ratios[:, :1], ratios.shape), ROUGH)
    return ratios[:, 0] if same else None


def _approach(lab: Lab, k: float) -> bool:
    """Whether after a long constant gradient the updates are the expected ones."""
    constant = np.broadcast_to(lab.draws(), (LONG_RUN, *SHAPE))
    end = [d[-1] for d in lab.both(np.zeros(SHAPE), constant)]
    return bool(np.all(np.abs(end[0] / end[1] - 1) < 0.2 * abs(k - 1)))


def factor(lab: Lab) -> Difference | None:
    """The first update is a multiple of the expected one."""
    theirs, like = lab.both(np.zeros(SHAPE), lab.draws())
    if not like.all():
        return None
    ratio = theirs / like
    k = float(ratio.flat[0])
    if not alike(ratio - 1, np.full_like(ratio, k - 1), 0.1) or abs(k - 1) < 1e-11:
        return None
    if not alike(ratio, np.full_like(ratio, k)):
        return None
    if abs(k + 1) < CLOSE:
        return Difference("sign flipped", "the update has the wrong sign: it climbs", "w += lr g")
    told = f"the first update is {k:.6g} times the expected one"
    if k > 0 and _approach(lab, k):
        said = f"{told}, and later ones approach it: its averages are other ones"
        return Difference("averaging factor", said, "rho or beta; what is averaged")
    name = f"{k:.6g}" if abs(k - 1) > 1e-5 else f"1 + {k - 1:.3g}"
    return Difference(
        f"scaled by {name}", f"the first update is {name} times the expected one", "lr"
    )


def rate_in_memory(lab: Lab) -> Difference | None:
    """All that fails is a rate that changes."""
    if not lab.only(CHANGING):
        return None
    if _keeps_first_rate(lab):
        return Difference(
            "rate of the start kept",
            "a change of the learning rate has no effect: the first one is used for ever",
            "a rate kept by the constructor, where the group's is meant",
        )
    for factor in sorted(set(SCHEDULE)):
        rate = lab.lr * factor
        w, g = lab.draws()[0], lab.draws(steps=STEPS)
        one, other = (lab.updates(of, w, g, rate) for of in (lab.theirs, lab.like))
        if not alike(one, other, ROUGH):
            told = f"right at a constant rate of {lab.lr:.3g}, wrong at one of {rate:.3g}"
            return Difference("learning rate", told, "a bound on the rate; a part without it")
    if not _velocities_apart(lab):
        return None
    return Difference(
        "learning rate in the velocity",
        "the same at a constant rate, not when it changes: one keeps the rate inside its velocity,"
        " the other multiplies its velocity by it",
        "v = mu v - lr g; w += v  against  v = mu v + g; w -= lr v",
    )


def _velocities_apart(lab: Lab) -> bool:
    """Whether without a gradient one goes on at the old rate, the other at the new one."""
    g = [lab.draws()[0], np.zeros(SHAPE)]
    ends = [of.run(np.zeros(SHAPE), g, (lab.lr, lab.lr / 4)) for of in (lab.theirs, lab.like)]
    moves = [path[1] - path[0] for path in ends]
    return any(alike(a, 4 * b, 1e-3) for a, b in (moves, moves[::-1]))


def _keeps_first_rate(lab: Lab) -> bool:
    zero, g = np.zeros(SHAPE), list(lab.draws(steps=STEPS))
    changed = lab.theirs.run(zero, g, tuple(lab.lr * factor for factor in SCHEDULE))
    return alike(changed, lab.theirs.run(zero, g, (lab.lr,) * STEPS))


def memory(lab: Lab) -> Difference | None:
    """The first step is right: what is carried to the next one is not."""
    zero = np.zeros(SHAPE)
    g = lab.draws(steps=2)
    g[1] = 0
    theirs, like = lab.both(zero, g)
    if not alike(theirs[:1], like[:1]) or "one step" in lab.failed:
        return None
    on = [float(np.median(d[1] / d[0])) for d in (theirs, like)]
    told = "the first step is right and later ones are not"
    if abs(on[0] - on[1]) > CLOSE:
        told += f": without a gradient the weights move on by {on[0]:.4g} of it, not {on[1]:.4g}"
    return Difference(
        "state carried between steps", told, "momentum, averaging factors, step count"
    )
