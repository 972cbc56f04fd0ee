"""docs/checks.md from the checks themselves: `python -m docs.generate_checks`.

With --check nothing is written, and the exit status is 1 where the page is stale.
"""

import ast
import inspect
import sys
import textwrap
from pathlib import Path

from docs.generated import settle
from gradcheck.checks import all_checks
from gradcheck.checks.base import CONTRACT, FORWARD, LAWS, VALUES, Check
from gradcheck.traits import TRAITS

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "checks.md"
STAGES = {FORWARD: "forward", CONTRACT: "contract", VALUES: "values", LAWS: "laws"}
INTRODUCTION = """# The checks

A check is one law that a backward pass obeys. They run in this order. Where one finds something,
those of later stages do not run at that example: of a gradient that has the wrong shape, linearity
says nothing. `check(layer, checks=["gradient", "linearity"])` or, on the command line, `--checks
gradient linearity` runs these alone.

**At** says at which examples: laws that need few do not run at each. **Left out where** gives what
is missing where a check does not apply; pytest then has no item for it.

This page is generated from `gradcheck/checks/`: `python -m docs.generate_checks`.
"""
TRAITS_INTRODUCTION = """## Traits

Facts about a layer that choose or change its checks: `Subject(..., traits=("linear", "batched"))`.
"""


def page() -> str:
    """The whole page as text."""
    rows = [row(check) for check in all_checks().values()]
    head = ["| check | law | stage | dtypes | at | left out where |", "|---|---|---|---|---|---|"]
    traits = [f"| `{name}` | {told} |" for name, told in TRAITS.items()]
    parts = [
        INTRODUCTION,
        "\n".join([*head, *rows]) + "\n",
        TRAITS_INTRODUCTION,
        "\n".join(["| trait | says |", "|---|---|", *traits]) + "\n",
    ]
    return "\n".join(parts)


def row(check: Check) -> str:
    """One check as a line of the table."""
    dtypes = ", ".join(check.dtypes) or "all"
    cells = (f"`{check.name}`", check.law, STAGES[check.stage], dtypes, often(check), never(check))
    return "| " + " | ".join(cell.replace("<", "\\<").replace("|", "\\|") for cell in cells) + " |"


def often(check: Check) -> str:
    """At which examples a check runs: of its own attribute, or of its module's constants."""
    module = inspect.getmodule(type(check))
    apart = max(check.every, getattr(module, "APART", 1))
    most = getattr(module, "EXAMPLES", None)
    said = {1: "every example", 2: "every second", 3: "every third"}.get(apart, f"every {apart}th")
    return f"{said}, {most} in all" if most else said


def never(check: Check) -> str:
    """The reasons that `applies` can give, as they stand in its source."""
    source = textwrap.dedent(inspect.getsource(type(check).applies))
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    values = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    texts = [
        node
        for value in values
        if value is not None
        for node in results(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value
    ]
    texts.sort(key=lambda node: (node.lineno, node.col_offset))
    return "; ".join(str(node.value) for node in texts)


def results(value: ast.expr) -> list[ast.expr]:
    """What an expression may come to: the branches of a conditional, without its condition."""
    if isinstance(value, ast.IfExp):
        return [*results(value.body), *results(value.orelse)]
    return [value]


def main(arguments: list[str]) -> int:
    """Write the page, or only say whether it is stale."""
    return settle(PAGE, page(), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
