"""Torch's own operator database: every differentiable operator at its own samples.

    python -m benchmarks.operators [--samples 2] [--only sin relu] [--dtype complex128]
                                   [--from 0 --to 100] [--faults 10] [--peers]

Prints verdicts other than "correct", the counts, how many claims wrong by a factor 1.0001 are
caught, and with --peers what torch gradcheck slow and fast say of the same operators. Needs the
package `expecttest`, which torch's testing module imports.
"""

from __future__ import annotations

import argparse
import inspect
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from gradcheck import UsageError, adapt, array, check

SCALED = 1.0001


@dataclass
class Sample:
    """One operator at one of its samples, as a function of its differentiable tensors alone."""

    name: str
    function: Any
    leaves: dict[str, torch.Tensor]


def samples(
    most: int,
    only: list[str],
    seed: int,
    dtype: torch.dtype = torch.float64,
    part: slice = slice(None),
) -> Iterator[Sample]:
    """At most `most` samples of every operator that has a derivative in this dtype on the CPU."""
    from torch.testing._internal.common_methods_invocations import op_db

    for op in op_db[part]:
        if not op.supports_autograd or dtype not in op.supported_backward_dtypes("cpu"):
            continue
        if only and op.name not in only:
            continue
        torch.manual_seed(seed)
        found = list(op.sample_inputs("cpu", dtype, requires_grad=True))
        for k, sample in list(enumerate(found))[:: max(1, len(found) // most)][:most]:
            name = f"{op.name}{'.' if op.variant_test_name else ''}{op.variant_test_name}[{k}]"
            made = as_function(name, op, sample)
            if made.leaves:
                yield made


def as_function(name: str, op: Any, sample: Any) -> Sample:
    """The operator with everything but its float leaves bound, wrapped as torch's own tests do."""
    leaves: dict[str, torch.Tensor] = {}

    def take(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            if value.requires_grad and value.layout == torch.strided:
                leaf = f"a{len(leaves)}"
                leaves[leaf] = value.detach().clone()
                return lambda given: given[leaf]
            fixed = value.detach()
            return lambda given: fixed
        if isinstance(value, list | tuple):
            parts = [take(part) for part in value]
            return lambda given: type(value)(part(given) for part in parts)
        return lambda given: value

    positional = [take(value) for value in (sample.input, *sample.args)]
    named = {key: take(value) for key, value in sample.kwargs.items()}

    def function(*tensors: torch.Tensor) -> Any:
        given = dict(zip(leaves, tensors, strict=True))
        returned = op.gradcheck_wrapper(
            op.op, *(p(given) for p in positional), **{k: p(given) for k, p in named.items()}
        )
        process = sample.output_process_fn_grad
        return process(returned) if process else returned

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(leaf, kind) for leaf in leaves]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return Sample(name, function, leaves)


def verdict(sample: Sample, seed: int, scale: float = 1.0) -> tuple[str, str]:
    """Our verdict, on the claim times `scale`, and the first thing found."""
    try:
        subject = adapt(sample.function, _shapes(sample), name=sample.name)
        if scale != 1.0:
            subject = subject.but(vjp=_scaled(subject.vjp, scale))
        report = check(subject, at=sample.leaves, seed=seed)
    except UsageError as error:
        return "usage", str(error)
    except Exception as error:  # noqa: BLE001 - a crash of ours: counted and shown, never hidden
        return "CRASH", f"{type(error).__name__}: {error}"
    return report.verdict, "; ".join(finding.message for finding in report.findings[:1])


def peer(sample: Sample, fast: bool) -> str:
    """Torch gradcheck's answer at the same point."""
    given = [leaf.clone().requires_grad_() for leaf in sample.leaves.values()]
    try:
        passed = torch.autograd.gradcheck(sample.function, given, fast_mode=fast)
    except (RuntimeError, ValueError, TypeError, NotImplementedError):
        return "fails"
    return "passes" if passed else "fails"


def _shapes(sample: Sample) -> dict[str, Any]:
    return {
        name: array(" ".join(map(str, leaf.shape)), complex=leaf.is_complex())
        for name, leaf in sample.leaves.items()
    }


def _scaled(vjp: Any, scale: float) -> Any:
    def wrong(cotangent: Any, **inputs: Any) -> Any:
        return {name: g * scale for name, g in vjp(cotangent, **inputs).items()}

    return wrong


def main() -> None:
    """Run the sweep and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--dtype", default="float64", choices=["float64", "complex128"])
    parser.add_argument("--from", type=int, default=0, dest="first", help="in torch's order")
    parser.add_argument("--to", type=int, default=None, dest="last")
    parser.add_argument("--faults", type=int, default=0, help="scale every n-th claim as well")
    parser.add_argument("--peers", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    ours, caught, slow, fast = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    started = time.perf_counter()
    part = slice(arguments.first, arguments.last)
    dtype = getattr(torch, arguments.dtype)
    for sample in samples(arguments.samples, arguments.only, arguments.seed, dtype, part):
        said, why = verdict(sample, arguments.seed)
        ours[said] += 1
        if said != "correct":
            print(f"{sample.name:44} {said:14} {why[:120]}", flush=True)
        elif arguments.faults and ours[said] % arguments.faults == 0:
            caught[verdict(sample, arguments.seed, SCALED)[0]] += 1
        if arguments.peers:
            slow[peer(sample, fast=False)] += 1
            fast[peer(sample, fast=True)] += 1
    print(f"\noperators at their samples, {time.perf_counter() - started:.0f} s: {dict(ours)}")
    print(f"the same claims times {SCALED}, where correct: {dict(caught)}")
    if arguments.peers:
        print(f"torch gradcheck slow: {dict(slow)}; fast: {dict(fast)}")


if __name__ == "__main__":
    main()
