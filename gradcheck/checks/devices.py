"""CPU agrees with CUDA."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gradcheck.backends import backend as backend_named
from gradcheck.case import Case
from gradcheck.checks.base import LAWS, Check, Notes
from gradcheck.evaluation import Evaluator
from gradcheck.findings import Finding
from gradcheck.rounding import REROUTED, difference, tolerance
from gradcheck.subject import Subject


class Devices(Check):
    name = "devices"
    law = "outputs and gradients on the CPU and on CUDA agree"
    stage = LAWS
    every = 2

    def applies(self, subject: Subject) -> str:
        return "NumPy runs on the CPU alone" if subject.backend == "numpy" else ""

    def run(self, case: Case, notes: Notes) -> Iterator[Finding]:
        if case.device == "cpu":
            return
        host = backend_named(case.subject.backend, "cpu")
        there = Case(
            case.subject,
            case.example,
            case.numbers,
            host,
            Evaluator(case.subject, host),
            case.dtype,
            "cpu",
            case.numpy_cotangents(),
        )
        pairs: list[tuple[str, Any, Any]] = [
            (f"output {k}", case.outputs[k], there.outputs[k]) for k in case.judged
        ]
        pairs += [(f"the gradient of `{n}`", g, there.claim[n]) for n, g in case.claim.items()]
        for what, ours, theirs in pairs:
            mine = host.from_numpy(case.backend.to_numpy(ours))
            if not (host.all_finite(mine) and host.all_finite(theirs)):
                continue
            allowed = tolerance(host, REROUTED, mine, theirs) + 1e-300
            error = difference(host, mine, theirs) / allowed
            notes.score = max(notes.score, error)
            if error > 1:
                said = f"{what} on {case.device} differs from the CPU's"
                yield case.finding(self.name, "wrong", said, cause=f"{case.device} differs")


CHECK = Devices()
