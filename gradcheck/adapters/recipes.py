"""Python text that builds a user's object again, where it can be imported."""

from __future__ import annotations

import sys
from typing import Any


def recipe_of(obj: Any) -> str | None:
    """Lines that end in `subject = ...`, or None."""
    found = module_level_name(obj)
    if found is not None:
        module, name = found
        return f"from {module} import {name}\n\nsubject = {name}"
    return None


def module_level_name(obj: Any) -> tuple[str, str] | None:
    """(module, name) under which this very object stands in an imported module."""
    home = getattr(obj, "__module__", None)
    waiting = [home] if isinstance(home, str) else []
    for module in [*waiting, *list(sys.modules)]:
        if module in ("__main__", "__mp_main__"):
            continue
        for name, value in list(getattr(sys.modules.get(module), "__dict__", {}).items()):
            if value is obj and not name.startswith("_"):
                return module, name
    return None


def evaluable(obj: Any, module: str) -> str | None:
    """A recipe from repr(obj) as a call of a name in `module`, where that builds its like."""
    text = repr(obj)
    loaded = sys.modules.get(module)
    if loaded is None or "\n" in text or "<" in text or len(text) > 300:
        return None
    try:
        made = eval(text, dict(vars(loaded)))
    except Exception:  # noqa: BLE001 - a repr need not be Python
        return None
    if type(made) is not type(obj) or repr(made) != text:
        return None
    return f"import {module}\n\nsubject = {module}.{text}"
