"""A transformer encoder of ten million parameters, verified in float64 by joint directions.

    python -m benchmarks.encoder

Every parameter tensor and the input at once; then one tensor's gradient is made wrong, in one
entry and as a whole, and the verdict must name that tensor and no other.
"""

from __future__ import annotations

import resource
import time

import torch
from torch import nn

from benchmarks import harness
from benchmarks.harness import ALARMS, table
from benchmarks.layers import Case, of_module
from benchmarks.speed import problem_of
from gradcheck.backends import backend
from gradcheck.judgement import judge_jointly
from gradcheck.judgement.problem import Judgement, Problem

LAYERS, WIDTH, FEED, BATCH, TOKENS = 5, 416, 1664, 2, 16


def encoder(seed: int) -> Case:
    """Five layers of width 416: 10.4 million parameters in 60 tensors."""
    torch.manual_seed(seed)
    torch.set_default_dtype(torch.float64)
    layer = nn.TransformerEncoderLayer(
        WIDTH, 8, FEED, dropout=0.0, batch_first=True, activation="gelu", norm_first=True
    )
    module = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
    for parameter in module.parameters():  # layers start as copies of one another
        parameter.data += 0.02 * torch.randn_like(parameter)
    return of_module("encoder", "10 million", module, BATCH, TOKENS, WIDTH)


def broken(problem: Problem, name: str, change) -> Problem:
    """The problem with one tensor's claimed gradient changed."""

    def vjp(cotangent, arrays):
        gradient = dict(problem.vjp(cotangent, arrays))
        gradient[name] = change(gradient[name].clone())
        return gradient

    return Problem(problem.forward, vjp, problem.point, problem.names, problem.backend)


def one_entry(g: torch.Tensor) -> torch.Tensor:
    """A median entry is doubled."""
    order = g.abs().flatten().argsort()
    g.view(-1)[order[len(order) // 2]] *= 2
    return g


FAULTS = {
    "scaled by 1 + 1e-5": lambda g: g * (1 + 1e-5),
    "scaled by 1 + 1e-7": lambda g: g * (1 + 1e-7),
    "one entry doubled": one_entry,
    "transposed": lambda g: g.T.contiguous() if g.ndim == 2 and g.shape[0] == g.shape[1] else -g,
    "all zero": torch.zeros_like,
}


def run(problem: Problem, cotangent: torch.Tensor, seed: int) -> tuple[dict[str, Judgement], float]:
    """The joint verdict and its wall time."""
    started = time.perf_counter()
    found = judge_jointly(problem, (cotangent,), seed=seed)
    return found, time.perf_counter() - started


def row(what: str, found: dict[str, Judgement], seconds: float, wrong: str = "") -> dict:
    """What one run said."""
    named = [name for name, j in found.items() if j.verdict in ALARMS]
    entry = next((f"index {e.index}" for n in named for e in found[n].entries[:1]), "")
    return {
        "claim": what,
        "planted in": wrong,
        "named": named,
        "inconclusive": [n for n, j in found.items() if j.verdict == "inconclusive"],
        "first entry": entry,
        "right": named == ([wrong] if wrong else []),
        "evaluations": sum(j.evaluations for j in found.values()),
        "seconds": seconds,
    }


def main() -> None:
    """Run, print, write."""
    options = harness.parser(__doc__.split("\n")[0])
    options.add_argument("--threads", type=int, default=2, help="torch threads (default 2)")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    case = encoder(chosen.seed)
    problem = problem_of(case)
    y = problem.forward(problem.point)[0]
    u = backend("torch").random_signs(y, chosen.seed + 1)
    print(f"{case.parameters:,} numbers in {len(case.names)} tensors, output {tuple(y.shape)}")
    found, seconds = run(problem, u, chosen.seed)
    rows = [row("right", found, seconds)]
    print(f"  right claim: {rows[0]['named'] or 'nothing'} named, {seconds:.1f} s", flush=True)
    names = list(case.names)
    for k, (what, change) in enumerate(FAULTS.items()):
        name = names[(7 * k + 2) % len(names)]
        found, seconds = run(broken(problem, name, change), u, chosen.seed)
        rows.append(row(what, found, seconds, name))
        print(
            f"  {what} in {name}: {rows[-1]['named'] or 'nothing'} named, {seconds:.1f} s",
            flush=True,
        )
    print(
        table(
            [
                [
                    r["claim"],
                    r["planted in"],
                    ", ".join(r["named"]) or "-",
                    r["first entry"],
                    len(r["inconclusive"]),
                    r["evaluations"],
                    r["seconds"],
                ]
                for r in rows
            ],
            ["claim", "planted in", "named", "entry", "open", "evaluations", "seconds"],
        )
    )
    top = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory of the process {top:.1f} GiB")
    harness.write(chosen.out, {"parameters": case.parameters, "runs": rows, "peak_gib": top})


if __name__ == "__main__":
    main()
