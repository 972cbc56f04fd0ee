"""Findings that one mistake explains: the same cause for all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from gradcheck.findings import Finding

# What NumPy, torch and JAX say of a product whose sizes do not fit.
MISMATCH = re.compile(
    r"matmul|mismatch in its core dimension|shapes? .* not aligned|cannot be multiplied|"
    r"dot_general|mat1 and mat2|size of tensor|could not be broadcast|inconsistent tensor size|"
    r"einsum|invalid gradient at index",
    re.IGNORECASE,
)
# What they say of writing into an argument that may not be written, or is one number many times.
UNWRITABLE = ("read-only", "written-to tensor")
PRODUCT = (
    "a product of shapes that do not fit: look for a transpose that is missing or one too many"
)
# Faults of the values that a check of another law meets as well, under its own name.
SAME = {
    "linearity": ("cotangent", "term without", "gradient clipped", "gradient bent", "normalised"),
    "partial": ("precision lost",),
}


def relate(findings: list[Finding]) -> list[Finding]:
    """The same findings, those of one mistake with one cause; hints where only a part shows."""
    return [_related(finding, findings) for finding in findings]


def _related(finding: Finding, findings: Sequence[Finding]) -> Finding:
    named = [f for f in findings if f.check == "gradient" and f.fault]
    for told in (_stateful(finding, findings), _mutated(finding, findings)):
        if told is not None:
            return told
    if finding.check == "gradient" and finding.fault:
        return finding
    for related in (_raised, _shaped, _unnamed, _lawless):
        told = related(finding, named)
        if told is not None:
            return told
    return _forgotten(finding, findings) or finding


def _stateful(finding: Finding, findings: Sequence[Finding]) -> Finding | None:
    """A subject whose vjp remembers its calls fails every law: one cause."""
    if finding.kind == "nondeterministic" or finding.fault in ("buffer reuse", "mutation"):
        return None
    for other in findings:
        if other is finding or other.input not in (finding.input, None):
            continue
        if other.check == "repeat" and other.fault == "hidden state":
            return _joined(finding, other)
        if other.fault == "stale cache" and finding.check != "repeat":
            return _joined(finding, other) if finding.fault is None else None
    return None


def _mutated(finding: Finding, findings: Sequence[Finding]) -> Finding | None:
    """A vjp that writes into its argument raises where that is read-only, or spread out."""
    if finding.check != "layouts" or not any(s in finding.message for s in UNWRITABLE):
        return None
    found = (f for f in findings if f.check == "side_effects" and f.fault == "mutation")
    other = next(found, None)
    return _joined(finding, other) if other is not None else None


def _forgotten(finding: Finding, findings: Sequence[Finding]) -> Finding | None:
    """Checks that stumble over a gradient that is not there."""
    if finding.check == "contract" or "raised KeyError" not in finding.message:
        return None
    for other in findings:
        if other.check == "contract" and other.input and f"'{other.input}'" in finding.message:
            return _joined(finding, other)
    return None


def _raised(finding: Finding, named: Sequence[Finding]) -> Finding | None:
    """A vjp that raises where sizes do not fit: the product that is wrong where they do."""
    error = f"{finding.message} {finding.evidence.get('traceback', '')}"
    if finding.kind != "broken" or " raised " not in finding.message or not MISMATCH.search(error):
        return None
    for other in named:
        if other.fault == "transposed":
            mistake = other.message.split(";")[0]
            told = f"{mistake}: where sizes differ, {finding.message}"
            return replace(_joined(finding, other), message=told)
    if finding.hint:
        return None
    return replace(finding, hint=PRODUCT)


def _shaped(finding: Finding, named: Sequence[Finding]) -> Finding | None:
    """A gradient of the wrong shape where, at other sizes, its shape fits and it is wrong."""
    if finding.check != "contract" or finding.fault is None or finding.input is None:
        return None
    for other in named:
        if other.input == finding.input and other.fault == finding.fault:
            return _joined(finding, other)
    return None


def _unnamed(finding: Finding, named: Sequence[Finding]) -> Finding | None:
    """The same input at a kink, or not finite, where its fault is named elsewhere."""
    if finding.check != "gradient" or finding.fault is not None:
        return None
    if finding.kind not in ("wrong_at_kink", "nonfinite"):
        return None
    for other in named:
        if other.input == finding.input and other.kind == "wrong":
            return replace(finding, cause=other.cause)
    return None


def _lawless(finding: Finding, named: Sequence[Finding]) -> Finding | None:
    """A law that fails because the values do."""
    for other in named:
        for start in SAME.get(finding.check, ()):
            if other.input == finding.input and start in str(other.fault):
                return _joined(finding, other)
    return None


def _joined(finding: Finding, other: Finding) -> Finding:
    return replace(finding, cause=other.cause, fault=other.fault, hint=other.hint or finding.hint)
