"""docs/reference.md from the docstrings of reference/: `python -m docs.generate_reference`.

Nothing is imported: the docstrings are read from the source. With --check nothing is written, and
the exit status is 1 where the page is stale.
"""

import ast
import sys
from pathlib import Path

from docs.generated import settle

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference.md"
HEADINGS = ("Formula", "Shapes", "Kinks", "Errors", "Source")
SECTIONS = {
    "layers": "Layers",
    "losses": "Losses",
    "optimizers": "Optimizers",
    "schemes": "Training schemes",
    "": "What they share",
}
INTRODUCTION = """# The reference library

Independent implementations in NumPy, read like the mathematics. `forward(...)` takes its inputs
by name, `vjp(cotangent, ...)` the same after the cotangent and returns the gradients by input
name; nothing is cached between them. Options are keyword arguments that both take. The numbers
(000) to (004) are the documents that a layer, a loss or a scheme comes from.

This page is generated from the docstrings: `python -m docs.generate_reference`.
"""


def page():
    """The whole page as text."""
    parts = [INTRODUCTION]
    for folder, title in SECTIONS.items():
        modules = sorted(ROOT.joinpath("reference", folder).glob("[!_]*.py"))
        links = ", ".join(f"[{path.stem}](#{anchor(folder, path)})" for path in modules)
        parts += [f"## {title}\n", f"{links}\n", *(entry(folder, path) for path in modules)]
    return "\n".join(parts)


def anchor(folder, path):
    """The identifier of an entry: names may come up in several folders."""
    return "-".join(filter(None, ("reference", folder, path.stem)))


def entry(folder, path):
    """One module: its summary, then its headings, or its text and its functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    summary, *rest = (ast.get_docstring(tree) or "").split("\n\n", 1)
    title = f'### <a id="{anchor(folder, path)}"></a>`{path.stem}`'
    text, blocks = split(rest[0] if rest else "")
    lines = [title, "", " ".join(summary.split()), ""]
    lines += [block(text), ""] if text else []
    for heading, body in blocks.items():
        lines += [f"**{heading}**", "", block(body), ""]
    if "Formula" not in blocks:
        lines += [line for name, said in functions(tree) for line in (name, "", block(said), "")]
    return "\n".join(lines)


def split(text):
    """What stands before the first heading, and the indented text under each."""
    before, blocks, under = [], {}, None
    for line in text.splitlines():
        if line in HEADINGS:
            under = blocks.setdefault(line, [])
        elif under is None:
            before.append(line)
        else:
            under.append(line.removeprefix("    "))
    joined = {heading: "\n".join(lines).strip() for heading, lines in blocks.items()}
    return "\n".join(before).strip(), joined


def functions(tree):
    """Signature and docstring of every public function and class of a module."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            said = ast.get_docstring(node)
            if said:
                signature = f"({ast.unparse(node.args)})" if hasattr(node, "args") else ""
                yield f"`{node.name}{signature}`", said


def block(text):
    """Text kept line by line: formulas are aligned."""
    return f"```text\n{text}\n```"


def main(arguments):
    """Write the page, or only say whether it is stale."""
    return settle(PAGE, page(), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
