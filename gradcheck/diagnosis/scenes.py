"""Fresh examples to confirm a name at: generic numbers, and sizes that tell names apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations, islice
from typing import Any

import numpy as np

from gradcheck.backends.base import Backend
from gradcheck.case import Case
from gradcheck.diagnosis import budget
from gradcheck.diagnosis.evidence import Scene
from gradcheck.evaluation import ClaimRaised, Evaluator, ForwardRaised
from gradcheck.examples import Example, arrays_of, is_legal
from gradcheck.inputs import Array, Integers, Mask
from gradcheck.subject import Subject
from gradcheck.values import Fill

# Entries of one input, and of all outputs: a Jacobian costs evaluations for each.
MOST = 150
# Sizes by position of the dimension, different from each other and from the powers of two that
# blocks are made of; the more dimensions, the smaller. The first that work are used.
RECTANGLES: dict[int, tuple[tuple[int, ...], ...]] = {
    1: ((7,), (9,), (11,), (5,), (12,), (3,)),
    2: ((5, 6), (7, 5), (6, 11), (3, 4), (12, 3)),
    3: ((5, 3, 6), (3, 6, 5), (6, 5, 3), (4, 3, 2), (9, 3, 2)),
    4: ((4, 3, 5, 2), (3, 5, 2, 4), (5, 2, 3, 4), (9, 2, 3, 4)),
}
MANY = ((4, 3, 5, 2, 6, 7), (3, 5, 2, 4, 6, 7), (5, 2, 4, 3, 6, 7), (9, 3, 2, 4, 1, 1))
SQUARES = ((3,) * 6, (4,) * 6, (2,) * 6)


def half_square(names: int) -> tuple[tuple[int, ...], ...]:
    """Two dimensions of one size, the others different: where a wrong product still fits."""
    first, second = (4, 5, 6, 2, 7), (5, 2, 3, 6, 7)
    tables = []
    for a, b in combinations(range(min(names, 5)), 2):
        for side, rest in ((3, first), (4, second)):
            left = iter(rest)
            tables.append(tuple(side if k in (a, b) else next(left, 2) for k in range(names)))
    return tuple(tables)


class OutOfTime(ArithmeticError):
    """The budget of one finding is spent."""


@dataclass
class Study:
    """A subject's examples for diagnosis: made once, used for every finding.

    raised: what vjp raised at the first size it does not take. told: names already given.
    """

    subject: Subject
    dtype: str
    backend: Backend
    raised: str = ""
    told: dict[Any, Any] = field(default_factory=dict)
    until: budget.Deadline = field(default_factory=budget.Deadline)
    left: float = float("inf")
    _scenes: list[Scene] | None = None

    def begin(self) -> None:
        """A fresh budget: one finding's."""
        self.until, self.left = budget.of_finding(), budget.EVALUATIONS

    @property
    def spent(self) -> bool:
        return self.left <= 0 or self.until.passed

    def spend(self) -> None:
        """Before every call of the subject. Raises OutOfTime."""
        self.left -= 1
        if self.spent:
            raise OutOfTime

    @property
    def scenes(self) -> list[Scene]:
        """Two or three generic scenes: rectangular where vjp takes that, else with equal sizes."""
        if self._scenes is None:
            found: list[Scene] = []
            names = len(self.subject.dimension_names)
            for tables in (RECTANGLES.get(names, MANY), half_square(names), SQUARES):
                if len(found) < 2:
                    found += islice(self._of(tables), 3 - len(found))
            self._scenes = found
        return self._scenes

    @property
    def squares(self) -> list[Scene]:
        """Two scenes with all sizes equal: where a swap of axes goes unnoticed by their shapes."""
        if "squares" not in self.told:
            self.told["squares"] = list(islice(self._of(SQUARES), 2))
        found: list[Scene] = self.told["squares"]
        return found

    @property
    def wide(self) -> list[Scene]:
        """Scenes of larger numbers: where a branch on values is met more often."""
        if "wide" not in self.told:
            sizes = [dict(scene.sizes) for scene in self.scenes]
            made = [self.scene(s, 977 + k, scale=2 + k) for k, s in enumerate(sizes)]
            self.told["wide"] = [scene for scene in made if scene is not None]
        found: list[Scene] = self.told["wide"]
        return found

    def stretched(self, name: str) -> list[Scene]:
        """The scenes with one input four times as large: past the bounds of a clip."""
        item = self.subject.inputs[name]
        if not isinstance(item, Array) or (item.low, item.high, item.domain) != (None,) * 3:
            return []
        rng, found = np.random.default_rng(61), []
        for scene in self.scenes:
            x = scene.arrays[name]
            arrays = {**scene.arrays, name: 4 * x + rng.uniform(0.1, 0.9, np.shape(x))}
            there = replace(scene, arrays=arrays, outputs=scene.forward(arrays))
            if _sound(there):
                found.append(there)
        return found

    def _of(self, tables: tuple[tuple[int, ...], ...]) -> Iterator[Scene]:
        seen: set[tuple[tuple[str, int], ...]] = set()
        for k, table in enumerate(tables):
            sizes = self.sizes(table)
            key = tuple(sizes.items())
            if key in seen and sizes:
                continue
            seen.add(key)
            scene = self.scene(sizes, seed=101 + k)
            if scene is not None:
                yield scene

    def sizes(self, table: tuple[int, ...]) -> dict[str, int]:
        """The table's sizes within the bounds of `dims`, kept different where they are."""
        bounds = self.subject.dims or {}
        names = self.subject.dimension_names
        wanted = {name: table[k % len(table)] for k, name in enumerate(names)}
        sizes: dict[str, int] = {}
        for name in sorted(names, key=lambda n: bounds.get(n, (1, 64))[1]):
            low, high = bounds.get(name, (1, 64))
            size = min(max(wanted[name], low), high)
            taken = {n for other, n in sizes.items() if wanted[other] != wanted[name]}
            free = [n for n in range(max(low, 2), min(high, 9) + 1) if n not in taken]
            if size in taken and free:
                size = min(free, key=lambda n: (abs(n - size), n))
            sizes[name] = size
        sizes = {name: sizes[name] for name in names}
        return sizes

    def scene(
        self, sizes: Mapping[str, int], seed: int, style: str = "generic", scale: int = 0
    ) -> Scene | None:
        """A scene at these sizes; None where they are not legal, too large, or vjp raises there."""
        case = self.case(sizes, seed, style, scale)
        found = self._usable(case, sizes) if case is not None else None
        if found is None:
            return None

        def again(changed: Mapping[str, int]) -> Scene | None:
            return self.scene({**sizes, **changed}, seed + 1009, style, scale)

        return replace(found, again=again)

    def case(
        self, sizes: Mapping[str, int], seed: int, style: str = "generic", scale: int = 0
    ) -> Case | None:
        """A case at these sizes; None where they are not legal."""
        if self.spent:
            return None
        leading: tuple[int, ...] = ()
        if any(i.shape.leading for i in self.subject.inputs.values()):
            # Where nothing else has a size, the leading axis must hold enough entries to tell.
            leading = (2,) if self.subject.dimension_names else (5 + seed % 4,)
        if not is_legal(self.subject, sizes, leading):
            return None
        example = self.example(sizes, leading, seed, Fill(style, scale))
        return Case(
            self.subject,
            example,
            arrays_of(self.subject, example),
            self.backend,
            Evaluator(self.subject, self.backend),
            self.dtype,
        )

    def _usable(self, case: Case, sizes: Mapping[str, int]) -> Scene | None:
        try:
            scene = scene_of(case, sizes, self)
            if not _small(scene):
                return None
            return scene if _sound(scene) else None
        except (ForwardRaised, OutOfTime):
            return None
        except ClaimRaised as raised:
            self.raised = self.raised or str(raised)
            return None

    def example(
        self,
        sizes: Mapping[str, int],
        leading: tuple[int, ...],
        seed: int,
        how: Fill,
    ) -> Example:
        fills = []
        for k, (name, item) in enumerate(self.subject.inputs.items()):
            if isinstance(item, Mask | Integers):
                fills.append((name, Fill("random", 0, seed + 17 * k)))
            elif isinstance(item, Array):
                fills.append((name, Fill(how.style, how.scale, seed + 17 * k)))
        return Example(tuple(sizes.items()), leading, tuple(fills), seed)


# The newest few, so that a long run holds no more.
_STUDIES: dict[tuple[int, str], Study] = {}
_HELD = 4


def study_of(case: Case) -> Study:
    """The study of a case's subject."""
    key = (id(case.subject), case.dtype)
    held = _STUDIES.get(key)
    if held is None or held.subject is not case.subject:
        held = _STUDIES[key] = Study(case.subject, case.dtype, case.backend)
        while len(_STUDIES) > _HELD:
            del _STUDIES[next(iter(_STUDIES))]
    return held


def scene_of(
    case: Case, sizes: Mapping[str, int] | None = None, study: Study | None = None
) -> Scene:
    """A case in NumPy arrays. Its forward may raise ForwardRaised and OutOfTime."""
    backend, problem = case.backend, case.problem()

    def native(arrays: Mapping[str, Any]) -> dict[str, Any]:
        return {n: case.native(n, a) for n, a in arrays.items()}

    def forward(arrays: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
        if study is not None:
            study.spend()
        return tuple(backend.to_numpy(o) for o in problem.forward(native(arrays)))

    def vjp(us: tuple[np.ndarray, ...], arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
        if study is not None:
            study.spend()
        own = tuple(backend.from_numpy(np.asarray(u)) for u in us)
        told = problem.vjp(own, native(arrays))
        return {n: backend.to_numpy(g) for n, g in told.items()}

    return Scene(
        arrays=case.as_numpy(),
        outputs=tuple(backend.to_numpy(case.outputs[k]) for k in case.judged),
        cotangents=tuple(backend.to_numpy(case.cotangents[k]) for k in case.judged),
        names=case.subject.differentiable,
        forward=forward,
        vjp=vjp,
        inputs=case.subject.inputs,
        sizes=dict(case.example.sizes) if sizes is None else sizes,
        traits=frozenset(case.subject.traits),
    )


def _small(scene: Scene) -> bool:
    outputs = sum(np.size(o) for o in scene.outputs)
    entries = [np.size(scene.arrays[name]) for name in scene.names]
    return 0 < outputs <= MOST and max(entries, default=0) <= MOST and sum(entries) > 0


def _sound(scene: Scene) -> bool:
    """Finite outputs, and a claim of the right shapes."""
    if not all(np.all(np.isfinite(o)) for o in scene.outputs):
        return False
    shapes = {name: np.shape(scene.claims[name]) for name in scene.names}
    return all(shape == np.shape(scene.arrays[name]) for name, shape in shapes.items())
