"""Verdicts where the function is not differentiable, and close to there.

    python -m benchmarks.kinks --cases 500

At a kink a claim left + alpha (right - left) is right for alpha in [0, 1] and must be named;
outside, or not multiplied by the cotangent, it is wrong. At ties of a maximum, "first" and
"even" are generalised gradients, "all" and "none" are not. Close to a kink nothing is wrong.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import harness
from benchmarks.harness import ALARMS, generator, percentage, problem_of, signs, table
from benchmarks.zoo import Entry
from benchmarks.zoo.entry import member, of
from gradcheck.judgement import judge
from gradcheck.judgement.problem import Judgement

SIZE = 40
ACCEPTED = (0.0, 0.3, 0.5, 1.0)
REJECTED = (-0.2, 1.2)
NAMED_WITHIN = 0.02


@dataclass(frozen=True)
class Corner:
    """An elementwise function, its slope away from kinks, and one kink with its two slopes."""

    name: str
    f: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]
    at: float
    left: float
    right: float

    def claim(self, alpha: float, times_cotangent: bool = True):
        """The VJP with left + alpha (right - left) at the kink."""

        def vjp(u, x):
            value = self.left + alpha * (self.right - self.left)
            there = u * value if times_cotangent else value
            return {"x": np.where(x == self.at, there, u * self.slope(x))}

        return vjp

    def entry(self, vjp) -> Entry:
        """As a member of the zoo; inputs are drawn here, not by it."""
        return member(self.name, of("x", self.f), vjp, lambda rng: {}, elementwise=True, kinks=True)


CORNERS = (
    Corner("relu", lambda x: np.maximum(x, 0), lambda x: x > 0, 0.0, 0.0, 1.0),
    Corner(
        "leaky relu",
        lambda x: np.where(x > 0, x, 0.1 * x),
        lambda x: np.where(x > 0, 1, 0.1),
        0.0,
        0.1,
        1.0,
    ),
    Corner("abs", np.abs, np.sign, 0.0, -1.0, 1.0),
    Corner(
        "clip, lower bound", lambda x: np.clip(x, -1, 1), lambda x: np.abs(x) < 1, -1.0, 0.0, 1.0
    ),
    Corner(
        "clip, upper bound", lambda x: np.clip(x, -1, 1), lambda x: np.abs(x) < 1, 1.0, 1.0, 0.0
    ),
    Corner(
        "soft shrink",
        lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
        lambda x: np.abs(x) > 0.5,
        0.5,
        0.0,
        1.0,
    ),
    Corner(
        "exp with a corner",
        lambda x: np.exp(np.abs(x)),
        lambda x: np.sign(x) * np.exp(np.abs(x)),
        0.0,
        -1.0,
        1.0,
    ),
    Corner(
        "elu, alpha 2",
        lambda x: np.where(x > 0, x, 2 * np.expm1(np.minimum(x, 0))),
        lambda x: np.where(x > 0, 1, 2 * np.exp(np.minimum(x, 0))),
        0.0,
        2.0,
        1.0,
    ),
)


def point(corner: Corner, count: int, rng: np.random.Generator) -> np.ndarray:
    """Normal numbers, `count` of them at the kink."""
    x = rng.standard_normal(SIZE)
    x[rng.permutation(SIZE)[:count]] = corner.at
    return x


def verdict(entry: Entry, x: np.ndarray, seed: int, kinks="subgradient") -> Judgement:
    """The engine's verdict on the claim of `entry` at x."""
    inputs = {"x": x}
    cotangent = tuple(signs(y, generator("kinks", seed)) for y in harness.outputs_of(entry, inputs))
    return judge(replace(problem_of(entry, inputs), kinks=kinks), cotangent, seed=seed)["x"]


def elementwise(cases: int, first: int) -> dict:
    """Alphas inside and outside [0, 1], with 1 .. 12 coordinates at the kink."""
    found = defaultdict(Counter)
    failures = []
    kinds = [*ACCEPTED, *REJECTED, "no cotangent"]
    for case in range(cases):
        seed = first + case
        corner, kind = CORNERS[case % len(CORNERS)], kinds[case // len(CORNERS) % len(kinds)]
        rng = generator(corner.name, seed)
        x = point(corner, int(rng.integers(1, 13)), rng)
        bare = kind == "no cotangent"
        vjp = corner.claim(_far_alpha(corner) if bare else kind, times_cotangent=not bare)
        judgement = verdict(corner.entry(vjp), x, seed)
        answer = _answer(judgement, kind)
        found[str(kind)][answer] += 1
        if answer in ("missed", "alarm", "misnamed", "inconclusive"):
            failures.append([corner.name, str(kind), seed, answer, judgement.verdict])
    return {"answers": {k: dict(c) for k, c in found.items()}, "failures": failures}


def _far_alpha(corner: Corner) -> float:
    """The side of the larger slope: not multiplied by a |u| < 1, it lies outside the two sides."""
    return float(abs(corner.right) >= abs(corner.left))


def _answer(judgement: Judgement, kind) -> str:
    wrong = judgement.verdict in ALARMS
    if kind not in ACCEPTED:
        return (
            "rejected" if wrong else "inconclusive" if judgement.verdict != "correct" else "missed"
        )
    if wrong or judgement.verdict != "correct":
        return "alarm" if wrong else "inconclusive"
    named = judgement.kink is not None and abs(judgement.kink.alpha - kind) <= NAMED_WITHIN
    return "named" if named else "misnamed"


TIES = {
    "first": lambda top: top & (np.cumsum(top, axis=1) == 1),
    "even": lambda top: top / top.sum(axis=1, keepdims=True),
    "all": lambda top: top * 1.0,
    "none": lambda top: top * (top.sum(axis=1, keepdims=True) == 1),
}


def ties(cases: int, first: int) -> dict:
    """Row maxima with two to four tied entries."""
    found = defaultdict(Counter)
    for case in range(cases):
        rng = generator("ties", first + case)
        x = rng.standard_normal((6, 7))
        for row in x[: rng.integers(1, 7)]:
            row[rng.permutation(7)[: rng.integers(2, 5)]] = row.max() + 0.5
        for name, share in TIES.items():
            entry = member("row maximum", lambda x: x.max(axis=1), _tie_vjp(share), lambda rng: {})
            wrong = verdict(entry, x, first + case).verdict
            found[name][wrong] += 1
    return {name: dict(count) for name, count in found.items()}


def _tie_vjp(share):
    def vjp(u, x):
        return {"x": u[:, None] * share(x == x.max(axis=1, keepdims=True))}

    return vjp


def near(cases: int, first: int) -> dict:
    """Some coordinates at 1e-15 .. 1e-3 from the kink: nothing is wrong there."""
    found = defaultdict(Counter)
    for exponent in range(-15, -2):
        for case in range(cases):
            corner = CORNERS[case % len(CORNERS)]
            rng = generator(corner.name, -exponent, first + case)
            x = point(corner, int(rng.integers(1, 13)), rng)
            at = x == corner.at
            x[at] += 10.0**exponent * rng.choice([-1, 1], at.sum()) * rng.uniform(1, 3, at.sum())
            judgement = verdict(corner.entry(corner.claim(0.0)), x, first + case)
            found[f"1e{exponent}"][judgement.verdict] += 1
    return {distance: dict(count) for distance, count in found.items()}


def conventions(cases: int, first: int) -> dict:
    """A declared convention is enforced; a defect at a point is told apart."""
    found = defaultdict(Counter)
    for case in range(cases):
        seed = first + case
        corner = CORNERS[case % len(CORNERS)]
        x = point(corner, 3, generator(corner.name, "declared", seed))
        for declared, claimed in ((0.0, 0.0), (0.5, 0.5), (0.0, 0.5), (1.0, 0.0)):
            judgement = verdict(corner.entry(corner.claim(claimed)), x, seed, kinks=declared)
            found[f"declared {declared:g}, is {claimed:g}"][judgement.verdict] += 1
        defect = member(
            "relu(x) - relu(-x)",
            lambda x: np.maximum(x, 0) - np.maximum(-x, 0),
            lambda u, x: {"x": u * (x != 0)},
            lambda rng: {},
            elementwise=True,
        )
        x = point(CORNERS[0], 3, generator("defect", seed))
        judgement = verdict(defect, x, seed)
        told = judgement.kink is not None and judgement.kink.point_defect
        found["defect at a point"][f"{judgement.verdict}{', told apart' if told else ''}"] += 1
    return {name: dict(count) for name, count in found.items()}


def _print(title: str, found: dict) -> None:
    columns = sorted({answer for count in found.values() for answer in count})
    rows = []
    for name, count in found.items():
        total = sum(count.values())
        rows.append([name, total, *(percentage(count.get(c, 0), total) for c in columns)])
    print(f"\n{title}")
    print(table(rows, ["claim", "cases", *columns]))


def main() -> None:
    """Run, print, write."""
    options = harness.parser(__doc__.split("\n")[0])
    options.add_argument("--cases", type=int, default=504, help="elementwise cases (default 504)")
    chosen = options.parse_args()
    started = time.perf_counter()
    figures = {
        "elementwise": elementwise(chosen.cases, chosen.seed),
        "ties": ties(max(8, chosen.cases // 10), chosen.seed),
        "near": near(max(8, chosen.cases // 10), chosen.seed),
        "conventions": conventions(max(8, chosen.cases // 10), chosen.seed),
    }
    _print("at a kink, by alpha: named within 0.02, or rejected", figures["elementwise"]["answers"])
    for failure in figures["elementwise"]["failures"][:20]:
        print("  ", *failure)
    _print("ties of a maximum", figures["ties"])
    _print("near a kink, by distance", figures["near"])
    _print("declared conventions and point defects", figures["conventions"])
    print(f"\n{time.perf_counter() - started:.0f} s")
    harness.write(chosen.out, figures)


if __name__ == "__main__":
    main()
