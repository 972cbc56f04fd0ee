"""How fast the reference library is: forward and VJP of each layer against torch on the CPU.

    python -m benchmarks.reference [layer ...]

Subjects and twins are those of `suites/`, at the sizes below: 1e5 elements and more. One process,
the best of several runs, one thread each: two thread pools on few cores measure each other. Exit
status 1 where a layer takes more than 20 times torch's time.
"""

import importlib
import os
import sys
import time
import zlib
from pathlib import Path

import numpy as np

from gradcheck import Subject
from gradcheck.examples import Example, arrays_of
from gradcheck.oracles.twin import TorchTwin
from gradcheck.values import Fill

LIMIT = 20
ENOUGH = 100_000  # elements, of all inputs together: below, call overhead decides
LEADING, ELEMENTWISE = (256,), (512, 512)  # what stands for `...`
SIZES = {
    "batch": 64, "rows": 256, "columns": 512, "features": 512, "channels": 32, "classes": 512,
    "length": 512, "height": 28, "width": 28, "kh": 3, "kw": 3, "taps": 3, "filters": 32,
    "units": 256, "inputs": 256, "n": 256, "sides": 256, "picks": 512, "heads": 8, "queries": 128,
    "keys": 128, "values": 64, "left": 64, "right": 64, "outputs": 64, "size": 16,
}  # fmt: skip
ROWS = {"batch": 256}
OF = {
    "attention": {"batch": 8, "width": 64},
    "batch_norm-rows": {"batch": 4096},
    "cholesky": {"...": (), "n": 320},
    "conv2d": {"batch": 8},
    "conv_transpose1d": {"length": 256},
    "conv_transpose2d": {"batch": 8},
    "cross_entropy-mean": ROWS,
    "einsum ij,jk->ik": {"i": 256, "j": 256, "k": 256},
    "group_norm-1": {"batch": 32, "length": 256},
    "inverse": {"...": (), "n": 320},
    "max_pool2d": {"batch": 16},
    "avg_pool2d": {"batch": 16},
    "multi_head_attention-1": {"batch": 8, "size": 256},
    "multi_margin-none": ROWS,
    "nll-none": ROWS,
    "standardise": ROWS,
}
TIMED = 0.3  # seconds for each implementation of a layer


def subjects():
    """The first subject with a torch twin of every forward that a suite verifies."""
    found = {}
    for path in sorted(Path(__file__).parents[1].joinpath("suites").glob("test_*.py")):
        for item in getattr(importlib.import_module(f"suites.{path.stem}"), "SUBJECTS", ()):
            if isinstance(item, Subject) and callable(item.twin):
                found.setdefault(item.forward, item)
    return sorted(found.values(), key=lambda subject: subject.name)


def sized(subject):
    """Inputs of a subject at the sizes above, float64."""
    own = OF.get(subject.name, {})
    sizes = [(name, own.get(name, SIZES.get(name, 32))) for name in subject.dimension_names]
    fills = [
        (name, Fill("random" if not hasattr(item, "values") else "generic", 0, seed_of(name)))
        for name, item in subject.inputs.items()
    ]
    leading = own.get("...", LEADING if sizes else ELEMENTWISE)
    arrays = arrays_of(subject, Example(tuple(sizes), leading, tuple(fills)))
    return {n: np.asarray(a) if isinstance(a, np.generic) else a for n, a in arrays.items()}


def seed_of(name):
    return zlib.crc32(name.encode()) % 2**16


def ours(subject, arrays):
    """One forward and VJP in NumPy, and the cotangents it was given."""
    outputs = subject.forward(**arrays)
    each = outputs if isinstance(outputs, tuple) else (outputs,)
    cotangents = [None if o.dtype.kind == "i" else np.ones_like(o) for o in each]
    given = tuple(cotangents) if isinstance(outputs, tuple) else cotangents[0]

    def run():
        subject.forward(**arrays)
        subject.vjp(given, **arrays)

    return run, cotangents


def theirs(subject, arrays, cotangents):
    """The same in torch; converting the arrays is not part of the time."""
    import torch

    twin = TorchTwin(subject.twin, "cpu", False)
    tensors = twin._tensors(arrays, subject.differentiable)
    leaves = [tensors[name] for name in subject.differentiable]
    given = [None if c is None else torch.as_tensor(c) for c in cotangents]

    def run():
        outputs = subject.twin(**tensors)
        each = outputs if isinstance(outputs, tuple | list) else (outputs,)
        pairs = [
            (output, g)
            for output, g in zip(each, given, strict=True)
            if g is not None and output.requires_grad
        ]
        torch.autograd.grad([o for o, _ in pairs], leaves, [g for _, g in pairs])

    return run


def best(run):
    """Shortest time of one run, in seconds."""
    run()
    shortest, until = float("inf"), time.perf_counter() + TIMED
    while time.perf_counter() < until:
        start = time.perf_counter()
        run()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest


def main(wanted):
    """Print a row a layer; how many are over the limit."""
    print(f"{'layer':34}{'elements':>10}{'NumPy ms':>11}{'torch ms':>11}{'ratio':>8}")
    over = 0
    for subject in subjects():
        if wanted and subject.name not in wanted:
            continue
        arrays = sized(subject)
        elements = sum(np.size(a) for a in arrays.values() if isinstance(a, np.ndarray))
        run, cotangents = ours(subject, arrays)
        numpy_time, torch_time = best(run), best(theirs(subject, arrays, cotangents))
        ratio = numpy_time / torch_time
        slow = ratio > LIMIT and elements >= ENOUGH
        over += slow
        row = f"{subject.name:34}{elements:>10}{numpy_time * 1e3:>11.3f}{torch_time * 1e3:>11.3f}"
        print(f"{row}{ratio:>8.2f}{'  over the limit' if slow else ''}", flush=True)
    return over


if __name__ == "__main__":
    if os.environ.get("OMP_NUM_THREADS") != "1":  # read when NumPy is loaded: start over with it
        os.environ["OMP_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.reference", *sys.argv[1:]])
    sys.exit(1 if main(sys.argv[1:]) else 0)
