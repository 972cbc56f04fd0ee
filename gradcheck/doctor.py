"""What works here: versions, devices, adapters and extras, as text."""

from __future__ import annotations

import platform
import sys
from importlib import metadata
from importlib.util import find_spec

import gradcheck

CORE = ("numpy", "scipy", "hypothesis", "pytest", "jinja2")
# extra -> distributions it brings.
EXTRAS = {
    "torch": ("torch",),
    "jax": ("jax",),
    "keras": ("keras",),
    "campaign": ("dask", "distributed"),
}
# adapter -> the package it needs beside NumPy.
NEEDS = {
    "keras": "keras",
    "torch_module": "torch",
    "torch_function": "torch",
    "torch_op": "torch",
    "jax": "jax",
}


def report() -> str:
    """Versions, devices, adapters and extras, one line each; nothing here raises."""
    lines = [
        f"gradcheck {gradcheck.__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}",
        "",
        "core",
        *(f"  {name:<12} {_version(name) or 'missing'}" for name in CORE),
        "",
        "extras",
        *map(_extra, EXTRAS),
        "",
        "devices",
        *_devices(),
        "",
        "adapters",
        *_adapters(),
    ]
    return "\n".join(lines)


def _extra(name: str) -> str:
    found = {package: _version(package) for package in EXTRAS[name]}
    if all(found.values()):
        return f"  {name:<12} {', '.join(f'{p} {v}' for p, v in found.items())}"
    return f"  {name:<12} not installed: pip install 'gradcheck[{name}]'"


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _devices() -> list[str]:
    lines = ["  cpu          yes"]
    if find_spec("torch") is None:
        return [*lines, "  cuda         no: torch is not installed"]
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - a broken installation is what a doctor is for
        return [*lines, f"  cuda         no: import torch raised {type(error).__name__}: {error}"]
    if not torch.cuda.is_available():
        built = "is built without CUDA" if torch.version.cuda is None else "sees no device"
        return [*lines, f"  cuda         no: torch {built}"]
    names = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    return [*lines, *(f"  cuda:{k:<7} {name}" for k, name in enumerate(names))]


def _adapters() -> list[str]:
    from gradcheck.adapters import ADAPTERS, adapters

    lines = []
    for name, module in zip(ADAPTERS, adapters(), strict=True):
        needed = NEEDS.get(name)
        works = needed is None or find_spec(needed) is not None
        lines.append(f"  {'yes' if works else 'no ':<4} {module.NAME}{_note(name, works)}")
    return lines


def _note(name: str, works: bool) -> str:
    if not works:
        return f" (needs {NEEDS[name]})"
    if name == "keras":
        return _keras_note()
    return ""


def _keras_note() -> str:
    """Keras chooses its backend when imported: say which, without importing it."""
    import os

    keras = sys.modules.get("keras")
    backend = keras.backend.backend() if keras else os.environ.get("KERAS_BACKEND")
    if backend in ("torch", "jax"):
        return f" (backend {backend})"
    return " (set KERAS_BACKEND=torch or jax before importing it)"
