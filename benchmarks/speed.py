"""Time, evaluations and memory of the numerical verdict, against torch gradcheck fast and slow.

    python -m benchmarks.speed
    python -m benchmarks.speed --layers 0 --slow-seconds 0      only the growth table

Same function, same point, one process, one thread, everything warm, CPU time. The verdict alone:
the claim (one forward and one backward) and the numerical derivatives, through the torch backend.
Slow mode is measured where it takes less than --slow-seconds, else estimated from 2 n forwards
and m backwards ("~").
"""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import torch

from benchmarks import harness
from benchmarks.harness import ALARMS, generator, table
from benchmarks.layers import Case, cases
from gradcheck.backends import backend
from gradcheck.judgement import judge
from gradcheck.judgement.problem import Problem


def problem_of(case: Case) -> Problem:
    """A torch function and its own autograd as the claim."""

    def forward(arrays):
        with torch.no_grad():
            return (case.forward(**arrays),)

    def vjp(cotangent, arrays):
        leaves = {name: arrays[name].detach().requires_grad_() for name in case.names}
        with torch.enable_grad():
            y = case.forward(**{**arrays, **leaves})
        return dict(
            zip(
                case.names, torch.autograd.grad(y, list(leaves.values()), cotangent[0]), strict=True
            )
        )

    return Problem(forward, vjp, dict(case.tensors), case.names, backend("torch"))


def clock(task: Callable[[], object], seconds: float = 0.3) -> float:
    """Median time of a warm task: CPU time of this one thread, so that neighbours do not count."""
    task()
    times: list[float] = []
    while len(times) < 5 or (sum(times) < seconds and len(times) < 200):
        started = time.process_time()
        task()
        times.append(time.process_time() - started)
    return statistics.median(times)


def gradcheck(case: Case, fast: bool) -> bool:
    """Torch's own answer."""
    leaves = [case.tensors[name].detach().requires_grad_() for name in case.names]
    fixed = {name: case.tensors[name] for name in case.fixed}

    def function(*given):
        return case.forward(**dict(zip(case.names, given, strict=True)), **fixed)

    return torch.autograd.gradcheck(function, leaves, fast_mode=fast)


def measure(case: Case, slow_seconds: float) -> dict:
    """All times of one case."""
    problem = problem_of(case)
    y = problem.forward(problem.point)[0]
    u = backend("torch").random_signs(y, 1)
    found = judge(problem, (u,), seed=0)
    forward = clock(lambda: problem.forward(problem.point))
    both = clock(lambda: problem.vjp((u,), problem.point))
    slow = 2 * case.parameters * forward + 2 * y.numel() * both
    measured = slow < slow_seconds
    if measured:
        started = time.process_time()
        gradcheck(case, fast=False)
        slow = time.process_time() - started
    seeds = iter(range(1, 10_000))  # fresh directions: typical, not one lucky draw
    return {
        "layer": case.name,
        "size": case.size,
        "parameters": case.parameters,
        "verdicts": sorted({j.verdict for j in found.values()}),
        "evaluations": sum(j.evaluations for j in found.values()),
        "ours": clock(lambda: judge(problem, (u,), seed=next(seeds))),
        "fast": clock(lambda: gradcheck(case, fast=True)),
        "slow": slow,
        "slow_measured": measured,
        "forward": forward,
        "both": both,
    }


def layers(slow_seconds: float) -> list[dict]:
    """The comparison with torch; the first case is run twice, to warm the process."""
    every = cases()
    measure(every[0], 0.0)
    return [measure(case, slow_seconds) for case in every]


# ---------------------------------------------------------------- growth


def dense(rows: int, width: int) -> Problem:
    """tanh(x W) in NumPy, whose memory can be traced."""

    def forward(arrays):
        return (np.tanh(arrays["x"] @ arrays["W"]),)

    def vjp(cotangent, arrays):
        x, W = arrays["x"], arrays["W"]
        d = cotangent[0] / np.cosh(x @ W) ** 2
        return {"x": d @ W.T, "W": x.T @ d}

    rng = generator("dense", width)
    point = {
        "x": rng.standard_normal((rows, width)),
        "W": rng.standard_normal((width, width)) / math.sqrt(width),
    }
    return Problem(forward, vjp, point, ("x", "W"), backend("numpy"))


def growth() -> list[dict]:
    """Evaluations, wall time over necessary time, and peak memory, from 1e2 to 1e7 parameters."""
    return [grown(width, rows) for rows in (32, 512) for width in (10, 32, 100, 316, 1000, 3162)]


def grown(width: int, rows: int) -> dict:
    """One size."""
    problem = dense(rows, width)
    called: list[int] = []

    def counted(arrays):
        called.append(1)
        return problem.forward(arrays)

    watched = dataclasses.replace(problem, forward=counted)
    u = (harness.signs(problem.forward(problem.point)[0], generator("growth", width)),)
    forward = clock(lambda: problem.forward(problem.point))
    both = clock(lambda: problem.vjp(u, problem.point))
    evaluations: list[int] = []

    def run():
        called.clear()
        found = judge(watched, u, seed=len(evaluations))
        assert not {j.verdict for j in found.values()} & set(ALARMS)
        evaluations.append(len(called))  # f(x) among them

    seconds = clock(run)
    count = statistics.median(evaluations)
    held = sum(a.nbytes for a in problem.point.values()) + u[0].nbytes
    return {
        "rows": rows,
        "parameters": width * width + rows * width,
        "evaluations": count,
        "seconds": seconds,
        "forward": forward,
        "wall_over_needed": seconds / (count * forward + both),
        "memory_over_held": peak(run) / held,
    }


def peak(task: Callable[[], object]) -> float:
    """Peak of traced memory above what was there before."""
    tracemalloc.start()
    task()
    top = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return top


def print_layers(rows: list[dict]) -> None:
    """Ratios first."""
    made = [
        [
            r["layer"],
            r["size"],
            r["parameters"],
            r["evaluations"],
            1e3 * r["forward"],
            1e3 * r["ours"],
            r["ours"] / r["fast"],
            ("" if r["slow_measured"] else "~") + f"{r['slow'] / r['ours']:.0f}",
            *r["verdicts"],
        ]
        for r in rows
    ]
    print(
        table(
            made,
            [
                "layer",
                "size",
                "parameters",
                "evaluations",
                "forward ms",
                "ours ms",
                "ours / fast",
                "slow / ours",
                "verdict",
            ],
        )
    )
    ratios = [r["ours"] / r["fast"] for r in rows]
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    print(f"ours / fast: geometric mean {mean:.2f}, largest {max(ratios):.2f}")
    large = [r["slow"] / r["ours"] for r in rows if r["parameters"] >= 4096]
    if large:
        print(f"slow / ours from 4,096 parameters on: smallest {min(large):.0f}")


def print_growth(rows: list[dict]) -> None:
    """What grows and what does not."""
    keys = [
        "rows",
        "parameters",
        "evaluations",
        "seconds",
        "forward",
        "wall_over_needed",
        "memory_over_held",
    ]
    print(
        table(
            [[r[k] for k in keys] for r in rows],
            [
                "rows",
                "parameters",
                "evaluations",
                "seconds",
                "forward s",
                "wall / (evals x fwd + bwd)",
                "peak / (inputs + outputs)",
            ],
        )
    )


def main() -> None:
    """Run, print, write."""
    options = harness.parser(__doc__.split("\n")[0])
    options.add_argument("--layers", type=int, default=1, help="0: leave the layers out")
    options.add_argument("--growth", type=int, default=1, help="0: leave the growth table out")
    options.add_argument(
        "--slow-seconds",
        type=float,
        default=20.0,
        help="longest slow gradcheck that is run rather than estimated",
    )
    chosen = options.parse_args()
    harness.single_thread()
    figures: dict = {}
    if chosen.layers:
        figures["layers"] = layers(chosen.slow_seconds)
        print_layers(figures["layers"])
    if chosen.growth:
        figures["growth"] = growth()
        print()
        print_growth(figures["growth"])
    harness.write(chosen.out, figures)


if __name__ == "__main__":
    main()
