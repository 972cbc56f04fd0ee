"""From a member of the zoo to a verdict of the engine, and small tools the benchmarks share."""

from __future__ import annotations

import argparse
import json
import platform
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.zoo import Entry
from gradcheck.backends import backend
from gradcheck.judgement import judge
from gradcheck.judgement.problem import Domain, Judgement, Problem

ALARMS = ("wrong", "wrong_at_kink", "nonfinite", "broken")
Vjp = Callable[..., Mapping[str, np.ndarray]]


def generator(*keys: int | str) -> np.random.Generator:
    """A generator that depends on every key; names count by their checksum."""
    return np.random.default_rng(
        [zlib.crc32(key.encode()) if isinstance(key, str) else key for key in keys]
    )


def outputs_of(entry: Entry, inputs: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
    """The outputs as a tuple of arrays."""
    y = entry.forward(**inputs)
    return tuple(np.asarray(part) for part in (y if isinstance(y, tuple) else (y,)))


def signs(like: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Signs times U[1/2, 1], both parts where complex."""

    def draw():
        return rng.choice([-1.0, 1.0], like.shape) * rng.uniform(0.5, 1, like.shape)

    return draw() + 1j * draw() if np.iscomplexobj(like) else draw()


def outside(entry: Entry, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether an input has left its declared domain."""
    for name, (low, high, open) in entry.domains.items():
        x = arrays[name]
        below, above = (np.less_equal, np.greater_equal) if open else (np.less, np.greater)
        if (low is not None and below(x, low).any()) or (high is not None and above(x, high).any()):
            return True
    return False


def problem_of(
    entry: Entry,
    inputs: Mapping[str, np.ndarray],
    vjp: Vjp | None = None,
    left: list[str] | None = None,
) -> Problem:
    """What the engine is given: the entry's function, and a claim (its own unless another).

    left: receives the entry's name whenever forward is called outside the declared domain.
    """
    claim = vjp or entry.vjp
    tuples = isinstance(entry.forward(**inputs), tuple)

    def forward(arrays):
        if left is not None and outside(entry, arrays):
            left.append(entry.name)
        return outputs_of(entry, arrays)

    def pullback(cotangent, arrays):
        with np.errstate(all="ignore"):
            gradient = claim(cotangent if tuples else cotangent[0], **arrays)
        return {name: np.asarray(g) for name, g in gradient.items()}

    return Problem(
        forward=forward,
        vjp=pullback,
        point=dict(inputs),
        names=entry.names(inputs),
        backend=backend("numpy"),
        domains={name: Domain(*bounds) for name, bounds in entry.domains.items()},
        elementwise=entry.elementwise,
    )


def draw(entry: Entry, seed: int) -> tuple[dict[str, np.ndarray], tuple[np.ndarray, ...]]:
    """Inputs and a cotangent of one verdict."""
    rng = generator(entry.name, seed)
    inputs = entry.make_inputs(rng)
    with np.errstate(all="ignore"):
        outputs = outputs_of(entry, inputs)
    return inputs, tuple(signs(y, rng) for y in outputs)


def verdicts(
    entry: Entry, seed: int, vjp: Vjp | None = None, left: list[str] | None = None
) -> dict[str, Judgement]:
    """The engine's verdict on every differentiable input at one fresh point."""
    inputs, cotangent = draw(entry, seed)
    with np.errstate(all="ignore"):
        return judge(problem_of(entry, inputs, vjp, left), cotangent, seed=seed)


def ratio(a: float, b: float) -> float:
    """A / b, NaN where b is 0."""
    return a / b if b else float("nan")


def table(rows: list[list[Any]], header: list[str]) -> str:
    """A plain table: first column to the left, the others to the right."""
    cells = [header, *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = []
    for row in cells:
        first, *rest = (
            c.ljust(w) if i == 0 else c.rjust(w)
            for i, (c, w) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join([first, *rest]).rstrip())
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "-" if np.isnan(value) else f"{value:.3g}"
    return str(value)


def parser(description: str) -> argparse.ArgumentParser:
    """Options every benchmark has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--seed", type=int, default=0, help="first seed (default 0)")
    made.add_argument("--out", type=Path, help="write the figures to this JSON file")
    return made


def write(path: Path | None, figures: Mapping[str, Any]) -> None:
    """The figures as JSON, with what they were measured on."""
    if path is None:
        return
    machine = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "machine": platform.machine(),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"environment": machine, **figures}, indent=1, default=float) + "\n")


def judged(judgements: Mapping[str, Judgement]) -> str:
    """The verdicts on all inputs as one answer, in the peers' words."""
    found = {judgement.verdict for judgement in judgements.values()}
    if found & set(ALARMS):
        return "fail"
    return "inconclusive" if "inconclusive" in found else "pass"


def percentage(part: float, whole: float) -> str:
    """A share in per cent."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def single_thread() -> None:
    """One thread for everybody: timings on small arrays are about overhead."""
    import torch

    torch.set_num_threads(1)
