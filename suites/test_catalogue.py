"""The reference library's own page section: formula, convention and source of every layer."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from reference.layers import LAYERS
from reference.losses import LOSSES


def first_line(doc: str, heading: str) -> str:
    """The first line under a heading of a reference docstring, "" where it has none."""
    lines = [line.strip() for line in doc.splitlines()]
    if heading not in lines:
        return ""
    return next((line for line in lines[lines.index(heading) + 1 :] if line.strip("-")), "")


GREEK = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "epsilon",
    "eta",
    "theta",
    "lambda",
    "mu",
    "rho",
    "sigma",
    "tau",
    "phi",
    "omega",
    "Phi",
]
PROSE = re.compile(r"[A-Za-z]{2,} [A-Za-z]{2,}")


def latex(line: str) -> str:
    """A docstring's formula as LaTeX; "" where it is partly words, which stay text."""
    if PROSE.search(line) or re.search(r"  |: |\b(if|for|where|elsewhere|otherwise)\b", line):
        return ""

    def spelled(found: re.Match[str]) -> str:
        word = found.group()
        return rf"\{word}" if word in GREEK else rf"\mathrm{{{word}}}"

    return re.sub(r"[A-Za-z]{3,}", spelled, line).replace(" * ", r" \cdot ")


def entry(folder: str, name: str) -> dict[str, str]:
    doc = import_module(f"reference.{folder}.{name}").__doc__ or ""
    formula, convention = first_line(doc, "Formula"), first_line(doc, "Kinks")
    shown = latex(formula)
    return {
        "name": name,
        "formula": shown,
        "convention": convention if shown else "; ".join(filter(None, (formula, convention))),
        "source": first_line(doc, "Source"),
        # Subjects are named after their layer, with an option behind it: "relu 0.5 at zero".
        "subject": name.replace("_", "[_ ]") + "*",
    }


@pytest.mark.parametrize(
    ("folder", "names"), [("layers", LAYERS), ("losses", LOSSES)], ids=["layers", "losses"]
)
def test_every_reference_says_what_it_is(folder, names, section):
    entries = [entry(folder, name) for name in names]
    said = {e["name"]: (e["formula"] or e["convention"]) and e["source"] for e in entries}
    section(
        title=f"The reference {folder}",
        text="Independent NumPy implementations; docs/reference.md holds each in full.",
        catalogue=entries,
    )
    nameless = [name for name, found in said.items() if not found]
    assert not nameless, f"no formula or no source: {', '.join(nameless)}"
