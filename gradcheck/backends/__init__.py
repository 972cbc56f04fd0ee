"""Array libraries, one module each, loaded when first used."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from gradcheck.backends.base import Array, Backend

__all__ = ["BACKENDS", "Array", "Backend", "backend"]

# name -> (module, class): the one table a new library is added to.
BACKENDS = {
    "numpy": ("gradcheck.backends.numpy", "NumpyBackend"),
    "torch": ("gradcheck.backends.torch", "TorchBackend"),
}


@cache
def backend(name: str, device: str = "cpu") -> Backend:
    """The backend called `name` on `device`; ValueError names the known ones."""
    if name not in BACKENDS:
        raise ValueError(f"backend: unknown name {name!r}; known: {', '.join(sorted(BACKENDS))}")
    module, attribute = BACKENDS[name]
    made: Backend = getattr(import_module(module), attribute)(device)
    return made
