"""The house's own rules: who knows whom, and the one line that each new file needs."""

from __future__ import annotations

import ast
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


def test_files_stay_short():
    sizes = sorted(
        len(p.read_text(encoding="utf-8").splitlines()) for p in python_files("gradcheck")
    )
    assert sizes[len(sizes) // 2] < 200
    assert sizes[-1] < 450
