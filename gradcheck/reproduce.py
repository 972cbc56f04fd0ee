"""A script that stands alone and shows a finding again."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.findings import Finding, Report
from gradcheck.inputs import Array, Constant, Input, Integers, Mask
from gradcheck.subject import Subject

LITERAL = 1000  # elements of an array written out; larger ones stand in the .npz beside


def attach_scripts(
    report: Report, subject: Subject, obj: Any, inputs: Any, options: Mapping[str, Any]
) -> Report:
    """Give every finding of a report its script."""
    if not report.findings:
        return report
    found = import_path(obj) or import_path(subject)
    for outcome in report.outcomes.values():
        outcome.findings = [
            replace(f, script=script(f, report, subject, found, inputs, options))
            for f in outcome.findings
        ]
    return report


def script(
    finding: Finding,
    report: Report,
    subject: Subject,
    found: tuple[str, str] | None,
    inputs: Any,
    options: Mapping[str, Any],
) -> str:
    """Python text that runs the failed check at the finding's very arrays."""
    lines = _subject_lines(subject, found)
    if _needs_npz(finding):
        lines.append(f'stored = np.load("{artifact_name(report.subject, finding)}")')
    lines.append("at = {")
    lines += [f"    {name!r}: {_literal(name, v)}," for name, v in finding.example.items()]
    lines += ["}", *_call_lines(finding, report, inputs, options)]
    lines += ["print(report)", "raise SystemExit(0 if report.passed else 1)"]
    body = "\n".join(lines)
    return "\n".join([f"# {finding.message}", *_imports(body), "", body]) + "\n"


def _imports(body: str) -> list[str]:
    """What the script needs, and no more."""
    names = [n for n in ("array", "check", "constant", "integers", "mask") if _calls(n, body)]
    numpy = ["import numpy as np"] if re.search(r"\bnp\.", body) else []
    return [*numpy, f"from gradcheck import {', '.join(names)}"]


def _calls(name: str, body: str) -> bool:
    return re.search(rf"(?<![\w.]){name}\(", body) is not None


def artifact_name(subject: str, finding: Finding) -> str:
    """File name of a finding's arrays: safe on every file system."""
    parts = [subject, finding.check, finding.kind, finding.input or ""]
    safe = re.sub(r"[^A-Za-z0-9_-]", "_", "-".join(parts))
    return f"{safe[:120]}.npz"


def import_path(obj: Any) -> tuple[str, str] | None:
    """(module, name) under which an object can be imported again, where there is one."""
    module, name = getattr(obj, "__module__", None), getattr(obj, "__qualname__", None)
    named = module and name and "<" not in name and module != "__main__"
    if named and hasattr(sys.modules.get(str(module)), str(name).split(".")[0]):
        return str(module), str(name)
    for module, loaded in list(sys.modules.items()):
        if loaded is None or module in ("__main__", "__mp_main__"):
            continue
        for name, value in list(getattr(loaded, "__dict__", {}).items()):
            if value is obj and not name.startswith("_"):
                return module, name
    return None


def _subject_lines(subject: Subject, found: tuple[str, str] | None) -> list[str]:
    if found is not None:
        module, name = found
        return [f"from {module} import {name.split('.')[0]}", "", f"subject = {name}"]
    if subject.recipe:
        return [subject.recipe]
    return [
        f"subject = ...  # put {subject.name!r} here: it was not importable by a name",
    ]


def _call_lines(
    finding: Finding, report: Report, inputs: Any, options: Mapping[str, Any]
) -> list[str]:
    lines = ["report = check(", "    subject,"]
    if inputs is not None:
        lines.append(f"    {{{', '.join(f'{n!r}: {_declared(v)}' for n, v in inputs.items())}}},")
    lines.append("    at=at,")
    if finding.cotangent is not None:
        lines.append(f"    cotangent={_cotangent(finding.cotangent)},")
    lines += [f"    checks=[{finding.check!r}],", f"    seed={report.seed},"]
    if report.dtype != "float64":
        lines.append(f"    dtype={report.dtype!r},")
    simple = {n: v for n, v in options.items() if isinstance(v, str | int | float | list | tuple)}
    lines += [f"    {name}={value!r}," for name, value in simple.items()]
    return [*lines, ")"]


def _needs_npz(finding: Finding) -> bool:
    return any(isinstance(v, np.ndarray) and v.size > LITERAL for v in finding.example.values())


def _literal(name: str, value: Any) -> str:
    if not isinstance(value, np.ndarray):
        return repr(value)
    if value.size > LITERAL:
        return f"stored[{name!r}]"
    text = np.array2string(
        value, separator=", ", threshold=LITERAL + 1, floatmode="unique", max_line_width=10**9
    )
    text = " ".join(text.split())
    for word, spelled in (("nan", "np.nan"), ("inf", "np.inf")):
        text = text.replace(word, spelled)
    shaped = f".reshape({value.shape})" if 0 in value.shape else ""
    return f"np.array({text}, dtype={str(value.dtype)!r}){shaped}"


def _cotangent(cotangent: Any) -> str:
    parts = [_literal("", c) if c is not None and c.size <= LITERAL else None for c in cotangent]
    if any(part is None for part in parts):
        return "None"
    if len(parts) == 1:
        return str(parts[0])
    return f"({', '.join(map(str, parts))})"


def _declared(item: Any) -> str:
    """An input declaration as the call that makes it."""
    if not isinstance(item, Input):
        return repr(item)
    if isinstance(item, Constant):
        return f"constant({_literal('', item.value)})"
    if isinstance(item, Mask):
        return f"mask({item.shape.text!r}, of={item.of!r}, true={item.true!r})"
    if isinstance(item, Integers):
        bounds = [getattr(b, "text", b) for b in (item.low, item.high)]
        return f"integers({item.shape.text!r}, {bounds[0]!r}, {bounds[1]!r})"
    assert isinstance(item, Array)
    limits = {"low": item.low, "high": item.high, "open": item.open or None}
    limits |= {"complex": item.complex or None, "differentiable": item.differentiable and None}
    said = "".join(f", {n}={v!r}" for n, v in limits.items() if v is not None)
    return f"array({item.shape.text!r}{said})"
