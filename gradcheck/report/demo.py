"""Sample runs: one that passes, and one with three mistakes. Computed here, not recorded.

The page's own tests, its screenshots and its benchmark are made from these.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from gradcheck.records import (
    CLAIM,
    Case,
    Coverage,
    Detectable,
    Discard,
    End,
    Entry,
    KnownFailure,
    OracleRecord,
    Power,
    Run,
    RunInfo,
    Section,
    Series,
    Table,
)
from gradcheck.report.demo_faults import mask_leak, relu_convention, transposed_weight

SUBJECTS = {
    "dense": ("(000)", ("batch", "features", "units"), ("x", "W", "b")),
    "relu": ("(000)", ("n",), ("x",)),
    "softmax": ("(001)", ("batch", "classes"), ("x",)),
    "masked_softmax": ("Vaswani et al. 2017", ("batch", "time"), ("scores",)),
    "layer_norm": ("Ba et al. 2016", ("batch", "features"), ("x", "gain", "bias")),
    "batch_norm": ("(001)", ("batch", "features"), ("x", "gain", "bias")),
    "conv1d": ("(002)", ("batch", "length", "channels"), ("x", "kernel")),
    "lstm": ("(003)", ("batch", "time", "units"), ("x", "W", "U", "b")),
    "embedding": ("(002)", ("batch", "time", "vocab"), ("table",)),
    "max_pool": ("(002)", ("batch", "length"), ("x",)),
    "cross_entropy": ("(000)", ("batch", "classes"), ("logits",)),
    "gelu": ("Hendrycks and Gimpel 2016", ("n",), ("x",)),
    "huber": ("(004)", ("n",), ("prediction", "target")),
    "momentum": ("(004)", ("parameters",), ("w", "velocity")),
}
CHECKS = {
    "forward": "", "contract": "", "gradient": "", "kinks": "relu max_pool huber",
    "linear": "", "layouts": "", "masks": "masked_softmax",
    "batch": "dense softmax masked_softmax lstm",
    "sizes": "", "values": "", "twin": "", "forward_mode": "dense relu softmax gelu",
    "float32": "", "threads": "",
}  # fmt: skip
FAULTS = ("transposed", "sign flipped", "scaled by 2", "missing batch sum", "cotangent ignored",
          "mask leak", "off by one", "contiguous assumption", "stale cache",
          "wrong convention at the kink")  # fmt: skip


def passing_run(seed: int = 7) -> Run:
    """Every check of every subject is correct."""
    return Run.of(_info(seed), *_cases(seed), *_extras(seed), _end(True))


def failing_run(seed: int = 7) -> Run:
    """A transposed weight gradient, a mask leak and a ReLU convention, each seen by some checks."""
    cases = {case.id: case for case in _cases(seed)}
    for case in (*transposed_weight(), *mask_leak(), *relu_convention()):
        known = cases[case.id]
        known.verdict, known.score, known.findings = case.verdict, case.score, case.findings
        known.detectable = {}
    return Run.of(_info(seed), *cases.values(), *_extras(seed), _end(False))


def _info(seed: int) -> RunInfo:
    return RunInfo(
        id=f"demo{seed}",
        seed=seed,
        profile="ci",
        commit="5f1c2ab90d3e",
        versions={"gradcheck": "0.1.0", "python": "3.11.9", "numpy": "2.3.1", "torch": "2.13.0"},
        devices=["cpu"],
        command=f"pytest suites --gradcheck-report=reports --gradcheck-profile=ci "
        f"--gradcheck-seed={seed}",
        started="2026-11-21T21:10:04+00:00",
        platform="Linux x86_64",
        known_failures=[
            KnownFailure("lstm::sizes::*", "a sequence of no step has no last state", 1),
        ],
    )


def _cases(seed: int) -> Iterator[Case]:
    for name, (source, dims, inputs) in SUBJECTS.items():
        for dtype in ("float64", "float32"):
            for check, only in CHECKS.items():
                if (check == "float32") == (dtype == "float32"):
                    applies = not only or name in only.split()
                    rng = random.Random(f"{seed} {name} {check}")
                    yield _case(rng, (name, check, dtype, source), dims, inputs, applies)


def _case(rng: random.Random, who: tuple[str, str, str, str], dims: tuple[str, ...],
          inputs: tuple[str, ...], applies: bool) -> Case:  # fmt: skip
    name, check, dtype, source = who
    case = Case(name, check, dtype, source=source, seconds=0.01 * math.exp(rng.gauss(0, 1.2)))
    if not applies:
        case.verdict, case.reason, case.seconds = "skipped", _why(check), 0.0
        return case
    case.examples, case.evaluations = rng.randint(20, 60), rng.randint(400, 3000)
    if check in ("gradient", "kinks", "twin", "float32", "linear", "batch", "values"):
        case.score = min(0.93, abs(rng.gauss(0.12, 0.18)))
        coarse = 3e-4 if dtype == "float32" else 10 ** rng.uniform(-9.5, -7)
        case.detectable = {n: Detectable(coarse, coarse * rng.uniform(3, 12)) for n in inputs}
    if check in ("gradient", "sizes"):
        case.coverage = _coverage(rng, dims, name)
    if check == "gradient":
        case.oracles = list(_oracles(rng, inputs))
    if (name, check) == ("lstm", "sizes"):
        case.verdict, case.reason = "known_failure", "a sequence of no step has no last state"
    if (name, check) == ("conv1d", "sizes"):
        case.discards = [Discard("ValueError: the kernel is longer than the signal", 9)]
    if (name, check) == ("softmax", "contract"):
        case.remarks = ["the gradient shares memory with the cotangent, and nothing depends on it"]
    return case


def _why(check: str) -> str:
    return {
        "kinks": "the subject has no kink in its domain",
        "masks": "the subject takes no mask",
        "batch": "the subject has no trait 'batched'",
    }.get(check, "the subject offers no JVP")


def _coverage(rng: random.Random, dims: tuple[str, ...], name: str) -> Coverage:
    sizes = {
        dim: {str(size): rng.randint(1, 14) for size in (0, 1, 2, 3, 5, 8, 16)} for dim in dims
    }
    kinked = name in CHECKS["kinks"].split()
    return Coverage(
        dims=sizes,
        styles={"random": 24, "integers": 9, "zeros": 5, "ties": 6, "bounds": 4, "tiny": 3},
        layouts={"contiguous": 20, "strided": 7, "Fortran": 6, "expanded": 5, "offset": 4},
        masks={"random": 9, "all kept": 3, "none kept": 3, "one kept": 2}
        if name == "masked_softmax" else {},
        distance={"at the kink": 11, "below 1e-6": 3, "1e-6 to 1e-3": 4, "above 1e-3": 20}
        if kinked else {},
        kinks=11 if kinked else 0,
        status={"judged": 45, "discarded": 2},
        origin={"generate": 38, "explicit examples": 6, "reuse": 3},
    )  # fmt: skip


def _oracles(rng: random.Random, inputs: tuple[str, ...]) -> Iterator[OracleRecord]:
    for name in inputs:
        value = rng.gauss(0, 3)
        for oracle, error in (
            (CLAIM, 3e-15), ("finite difference", 2e-10), ("twin", 4e-15), ("complex step", 6e-15),
        ):  # fmt: skip
            off = rng.uniform(-0.9, 0.9) * error * abs(value)
            yield OracleRecord(oracle, name, value + off, error * abs(value))


def _extras(seed: int) -> list[Any]:
    rng = random.Random(seed)
    powers = [
        Power(name, fault, True, rng.choice(("gradient", "gradient", "batch", "layouts", "kinks")))
        for name in SUBJECTS
        for fault in FAULTS
        if rng.random() < 0.6
    ]
    return [*powers, _curves(), _catalogue()]


def _curves() -> Section:
    def loss(rate: float) -> Series:
        y = [2.3 * math.exp(-rate * k / 5) + 0.02 + 0.01 * math.sin(k) ** 2 for k in range(300)]
        return Series(f"rate {rate}", [float(k) for k in range(300)], y)

    return Section(
        "Softmax regression learns",
        "The reference gradient drives the loss down at three learning rates, and its gradient "
        "agrees with the numerical one at every tenth step.",
        Table(["rate", "final loss", "accuracy"], [[0.05, 0.14, 0.93], [0.1, 0.03, 0.97]]),
        [loss(0.05), loss(0.1), loss(0.2)],
        log=True,
    )


def _catalogue() -> Section:
    entries = [
        Entry("dense", r"\frac{\partial L}{\partial W} = x^\top \, \frac{\partial L}{\partial y}",
              "none needed: linear in every input", "(000), section 2"),
        Entry("relu", r"\frac{\partial L}{\partial x_i} = g_i \cdot [x_i > 0]",
              "derivative 0 at x = 0", "(000), section 3"),
        Entry("softmax", r"\bar{x}_i = p_i \left( g_i - \sum_j g_j p_j \right)",
              "smooth everywhere", "(001)"),
        Entry("layer_norm", r"\hat{x} = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}",
              "epsilon inside the root", "Ba et al. 2016"),
    ]  # fmt: skip
    return Section("The reference library", "Formula, convention and source of each layer.",
                   catalogue=entries)  # fmt: skip


def _end(passed: bool) -> End:
    return End(seconds=41.7, exit_status=0 if passed else 1)


def large_run(cases: int, failures: int, seed: int = 7) -> Run:
    """A run of any size: `failures` of its cases carry the findings of `failing_run`."""
    rng = random.Random(seed)
    names, checks, run = list(SUBJECTS), list(CHECKS), Run.of(_info(seed))
    wrong = [case for case in failing_run().cases if case.findings]
    for number in range(cases):
        name = names[number // len(checks) % len(names)]
        source, dims, inputs = SUBJECTS[name]
        who = (f"{name}_{number // (len(checks) * len(names))}", checks[number % len(checks)],
               "float64", source)  # fmt: skip
        case = _case(rng, who, dims, inputs, True)
        if failures * (number + 1) // cases > failures * number // cases:
            model = wrong[number % len(wrong)]
            case.verdict, case.score, case.findings = model.verdict, model.score, model.findings
        run.add(case)
    run.add(_end(not failures))
    return run
