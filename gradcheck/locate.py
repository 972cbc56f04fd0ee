"""An object from its path: "package.module:object"."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from gradcheck.errors import UsageError
from gradcheck.evaluation import describe


def locate(path: str) -> Any:
    """The object at "package.module:attribute.path"; the working directory is searched too.

    Raises UsageError, naming the part that is missing.
    """
    module_name, colon, attributes = path.partition(":")
    if not colon or not module_name or not attributes:
        raise UsageError(f"{path!r}: expected package.module:object")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = import_module(module_name)
    except ModuleNotFoundError as error:
        raise UsageError(f"{path!r}: {error}") from None
    except Exception as error:  # a user's module may raise anything while it is imported
        raise UsageError(f"{path!r}: importing {module_name} raised {describe(error)}") from error
    owner = module_name
    for name in attributes.split("."):
        if not hasattr(found, name):
            near = ", ".join(sorted(n for n in vars(found) if not n.startswith("_"))[:12])
            raise UsageError(f"{path!r}: {owner} has no {name!r}; it has {near}")
        found, owner = getattr(found, name), f"{owner}.{name}"
    return found
