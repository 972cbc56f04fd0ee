"""Which framework a function's code speaks of, without calling it."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any


def refers_to(function: Any, framework: str) -> bool:
    """Whether the code of `function`, or of functions it calls, names something of `framework`."""
    return any(framework in _homes(value) for value in _named(function, set()))


def _named(function: Any, seen: set[int]) -> Iterator[Any]:
    """Values that a function's code and closure refer to; its callees' too."""
    if isinstance(function, functools.partial):
        yield from (*function.args, *function.keywords.values())
    function = _plain(function)
    if function is None or id(function) in seen:
        return
    seen.add(id(function))
    yield function
    for value in _references(function):
        yield value
        if isinstance(value, types.FunctionType | functools.partial):
            yield from _named(value, seen)


def _references(function: types.FunctionType) -> Iterator[Any]:
    waiting = [function.__code__]
    while waiting:
        code = waiting.pop()
        yield from (function.__globals__[n] for n in code.co_names if n in function.__globals__)
        waiting += [c for c in code.co_consts if isinstance(c, types.CodeType)]
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue


def _plain(function: Any) -> types.FunctionType | None:
    while isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    function = getattr(function, "_torchdynamo_orig_callable", function)
    return function if isinstance(function, types.FunctionType) else None


def _homes(value: Any) -> set[str]:
    """The top packages of a module, function, class or object, and of its type.

    A function that `jax.custom_vjp` has wrapped keeps the module it was written in; its type tells.
    """
    if isinstance(value, types.ModuleType):
        return {value.__name__.split(".")[0]}
    names = (getattr(value, "__module__", None), type(value).__module__)
    return {str(name).split(".")[0] for name in names}
