"""The house's own rules: who knows whom, and the one line that each new file needs."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import gradcheck

ROOT = Path(gradcheck.__file__).parents[1]


def imports(path: Path) -> set[str]:
    """Top-level names of the packages a file imports, wherever in it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).split(".")[0])
    return found


def module_level_imports(path: Path) -> set[str]:
    """The same, of statements that run when the file is imported."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module).split(".")[0])
    return found


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def test_the_library_does_not_know_the_reference():
    knowing = [p for p in python_files("gradcheck") if imports(p) & {"reference", "suites"}]
    assert not knowing


def test_the_reference_knows_numpy_and_scipy_alone():
    allowed = {"numpy", "scipy", "reference"} | set(__import__("sys").stdlib_module_names)
    strange = {str(p): imports(p) - allowed for p in python_files("reference")}
    assert not {path: names for path, names in strange.items() if names}


def test_frameworks_are_imported_when_first_needed():
    heavy = {"torch", "jax", "keras", "distributed", "dask", "playwright"}
    lazy_by_design = {"backends/torch.py", "backends/jax.py"}
    early = {
        str(path.relative_to(ROOT / "gradcheck")): module_level_imports(path) & heavy
        for path in python_files("gradcheck")
    }
    found = {path: names for path, names in early.items() if names and path not in lazy_by_design}
    assert not found


@pytest.mark.parametrize(
    ("folder", "listing", "registry", "belongs"),
    [
        ("gradcheck/checks", "gradcheck.checks", "MODULES", "CHECK = "),
        ("gradcheck/adapters", "gradcheck.adapters", "ADAPTERS", "\nNAME = "),
        ("gradcheck/diagnosis", "gradcheck.diagnosis.explain", "MODULES", "\ndef explain(evidence"),
    ],
)
def test_every_file_has_its_line(folder, listing, registry, belongs):
    listed = set(getattr(import_module(listing), registry))
    files = {
        path.stem
        for path in (ROOT / folder).glob("*.py")
        if belongs in path.read_text(encoding="utf-8")
    }
    missing = files - listed
    assert not missing, f"add to {registry} in {listing}: {', '.join(sorted(missing))}"
    assert not listed - files, f"{registry} in {listing} names no file: {listed - files}"


@pytest.mark.parametrize("folder", ["layers", "losses"])
def test_every_reference_file_has_its_line(folder):
    package = import_module(f"reference.{folder}")
    names = next(v for n, v in vars(package).items() if n.isupper() and isinstance(v, tuple | list))
    listed = {str(name).rsplit(".", 1)[-1] for name in names}
    files = {p.stem for p in (ROOT / "reference" / folder).glob("*.py")} - {"__init__"}
    helpers = {stem for stem in files if stem.startswith("_")}
    missing = files - listed - helpers
    assert not missing, f"add to reference/{folder}/__init__.py: {', '.join(sorted(missing))}"


def test_public_names_are_complete():
    for name in gradcheck.__all__:
        assert getattr(gradcheck, name) is not None
    documented = {"Subject", "array", "check", "integers", "mask", "parametrize_with_checks"}
    assert documented <= set(gradcheck.__all__)
    with pytest.raises(AttributeError, match="no attribute 'chek'"):
        _ = gradcheck.chek


# Longer than a file should be, to be parted: each with the seam.
LONG: dict[str, str] = {}


def test_files_stay_short():
    sizes = {
        str(p.relative_to(ROOT / "gradcheck")): len(p.read_text(encoding="utf-8").splitlines())
        for p in python_files("gradcheck")
    }
    assert sorted(sizes.values())[len(sizes) // 2] < 200
    assert max(sizes.values()) < 450
    too_long = {name: size for name, size in sizes.items() if size > 300 and name not in LONG}
    assert not too_long, f"part them: {too_long}"
    short = {name: sizes.get(name, 0) for name in LONG if sizes.get(name, 0) < 250}
    assert not short, f"no longer long, or gone: take them out of LONG: {short}"


# What each folder must not know, wherever in a file it is imported: data moves one way.
LATER = {"findings", "emit", "records", "report", "runner", "session", "cli", "pytest_plugin"}
UNKNOWN = {
    "backends": LATER | {"checks", "adapters", "diagnosis", "judgement", "kinks", "oracles"},
    "oracles": LATER | {"checks", "diagnosis", "kinks"},
    "judgement": LATER | {"checks", "adapters", "diagnosis"},
    "kinks": LATER | {"checks", "adapters", "diagnosis"},
    "diagnosis": LATER - {"findings"} | {"checks"},
    "checks": LATER - {"findings", "records"},
    "adapters": LATER - {"findings"} | {"checks", "judgement", "kinks", "diagnosis"},
    "records": LATER - {"records"}
    | {"checks", "adapters", "diagnosis", "judgement", "kinks", "oracles", "agreement", "subject"},
    "report": {"adapters", "diagnosis", "judgement", "kinks", "oracles", "runner"},
}


def known(path: Path) -> set[str]:
    """What a file of gradcheck imports of it, by the first name after `gradcheck.`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "gradcheck":
            modules = [f"gradcheck.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [str(node.module)]
        else:
            continue
        found |= {module.split(".")[1] for module in modules if module.startswith("gradcheck.")}
    return found


@pytest.mark.parametrize("folder", UNKNOWN)
def test_data_moves_one_way(folder):
    backwards = {
        str(path.relative_to(ROOT)): known(path) & UNKNOWN[folder]
        for path in python_files(f"gradcheck/{folder}")
    }
    assert not {path: names for path, names in backwards.items() if names}


FIRST = """
import importlib, sys
for name in sys.argv[1:]:
    for known in [m for m in sys.modules if m.split(".")[0] == "gradcheck"]:
        del sys.modules[known]
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(name, error)
"""


def test_any_module_of_the_engine_may_be_imported_first():
    """Packages that build on each other's modules must not need one of them to come first."""
    modules = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for folder in ("oracles", "judgement", "kinks")
        for path in python_files(f"gradcheck/{folder}")
    ]
    command = [sys.executable, "-c", FIRST, *modules]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""


TOLD = ("gradcheck", "reference", "suites", "tests", "docs", "benchmarks", "examples")
TEXT = {".py", ".md", ".toml", ".yml", ".html", ".jinja", ".css", ".js", ".json", ".txt"}
# Machines, and who worked at one: the project speaks of itself alone.
FOREIGN = re.compile(r"\bagents?\b|\bsession logs?\b|(?<![\w.])/(work|tmp|root|home)/", re.I)


def test_the_project_speaks_of_itself_alone():
    files = [p for folder in TOLD for p in (ROOT / folder).rglob("*") if p.suffix in TEXT]
    files += [p for p in ROOT.glob("*") if p.suffix in TEXT or p.name == "Makefile"]
    assert len(files) > 300
    found = {
        str(path.relative_to(ROOT)): FOREIGN.findall(path.read_text(encoding="utf-8"))
        for path in files
        if path != Path(__file__)
    }
    assert not {path: words for path, words in found.items() if words}


@pytest.mark.parametrize("text", ["an agent", "see /tmp/x", "the session log", '"/work/a"'])
def test_foreign_words_are_seen(text):
    assert FOREIGN.search(text)
    assert not FOREIGN.search("reagents, a/tmp/b, https://x.org/home/y, agentless, working")
