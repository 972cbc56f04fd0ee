"""Pairs of functions: (fun, jac) as in scipy.optimize, and (forward, backward) with a cache."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import jax, nested, probing
from gradcheck.adapters.asked import CACHES, COTANGENTS
from gradcheck.adapters.layer import BACKWARDS, method_of
from gradcheck.adapters.recipes import module_level_name
from gradcheck.adapters.signatures import Arguments, arguments, call, fit
from gradcheck.adapters.slots import mirrored
from gradcheck.errors import UsageError
from gradcheck.inputs import Input, array
from gradcheck.subject import Subject

NAME = "a pair (fun, jac) or (forward, backward)"
OPTIONS = frozenset(("inputs_first", "traits", "learning_rate"))

# Methods of one point: a value, and its gradient or slope there.
_VALUES = (
    "loss", "function", "func", "fun", "f", "value", "evaluate", "forward", "activate", "apply",
    "__call__",
)  # fmt: skip
_SLOPES = ("gradient", "grad", "derivative", "prime", "jacobian", "jac", "df", "slope")


def knows(obj: Any) -> bool:
    if not isinstance(obj, tuple):
        return methods_of(obj) is not None
    if len(obj) != 2 or not callable(obj[0]):
        return False
    second = obj[1]
    if isinstance(second, Mapping):
        return all(map(callable, second.values()))
    return callable(second) or second is True


def methods_of(obj: Any) -> tuple[Any, Any] | None:
    """(fun, jac) of an object whose second method takes the same point: loss and gradient, ..."""
    if isinstance(obj, type | types.ModuleType | types.FunctionType) or method_of(obj, BACKWARDS):
        return None
    slope = method_of(obj, _SLOPES)
    value = method_of(obj, _VALUES)
    if slope is None or value is None:
        return None
    fun, jac = getattr(obj, value), getattr(obj, slope)
    needed = arguments(jac).required
    return (fun, jac) if needed and needed <= set(arguments(fun).names) else None


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, **options: Any) -> Subject:
    """A Subject of a function and its Jacobian, or of a forward and its backward.

    An object with methods such as loss and gradient is a pair of them.
    jac may be a callable on the arguments of fun, a mapping of them by input name, or True where
    fun returns (value, gradient). What jac returns is told by its shape: output axes then input
    axes (inputs_first=True: the other way round), the diagonal alone of an elementwise function,
    or a gradient of one number. A second function whose first argument is a cotangent (dout,
    grad_output, ...) is a backward: it is given that and what forward cached.
    Raises UsageError where the shapes of the inputs must be given.
    """
    fun, second = obj if isinstance(obj, tuple) else methods_of(obj) or (obj, None)
    if callable(second) and _is_backward(fun, second, inputs):
        from gradcheck.adapters import numpy

        own = {n: v for n, v in options.items() if n in numpy.OPTIONS}
        return numpy.adapt(_Functions(fun, second), inputs, **own).but(name=_name(fun))
    if inputs is None:
        inputs = _found(fun)
    return _Pair(fun, second, inputs, bool(options.get("inputs_first"))).subject()


class _Functions:
    """A forward and a backward function in the shape of an object."""

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        def with_cache(dout: Any, cache: Any) -> Any:
            return backward(dout, cache)

        self.forward = forward
        # One that hides its arguments is given the cotangent and what forward kept.
        self.backward = backward if arguments(backward).names else with_cache


class _Pair:
    """fun and jac as forward and vjp."""

    def __init__(self, fun: Any, jac: Any, inputs: Mapping[str, Any], inputs_first: bool) -> None:
        self.fun, self.jac, self.inputs_first = fun, jac, inputs_first
        self.name = _name(fun)
        self.on_jax = jax.knows(fun) or jax.refers(fun)
        self.takes = arguments(fun)
        self.declared, self.build = nested.declare(inputs, self.name)
        self.places = fit(inputs, self.takes, self.name)
        differentiable = [n for n, item in self.declared.items() if item.differentiable]
        self.claimed = self._claimed(differentiable)
        for name in differentiable:
            if name not in self.claimed:
                self.declared[name] = replace(self.declared[name], differentiable=False)

    def subject(self) -> Subject:
        dims = probing.pinned(
            self._runs,
            probing.names_of(self.declared),
            _numbers(self.declared),
        )
        return Subject(
            name=self.name,
            forward=self.forward,
            vjp=self.vjp,
            inputs=self.declared,
            dims=dims,
            recipe=self._recipe(),
        )

    def forward(self, /, **inputs: Any) -> Any:
        value = self._call(self.fun, self.takes, inputs)
        value = _parts(value)[0] if self.jac is True else value
        return nested.as_numpy(value)

    def vjp(self, cotangent: Any, /, **inputs: Any) -> dict[str, Any]:
        shape = np.shape(self.forward(**inputs))
        found = self._jacobians(inputs)
        return {
            name: self._pulled_back(cotangent, jacobian, shape, np.shape(inputs[name]))
            for name, jacobian in found.items()
        }

    def _jacobians(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        if isinstance(self.jac, Mapping):
            return {
                name: self._call(self.jac[name], arguments(self.jac[name]), inputs)
                for name in self.claimed
            }
        if self.jac is True:
            returned = _parts(self._call(self.fun, self.takes, inputs))[1]
        else:
            returned = self._call(self.jac, arguments(self.jac), inputs)
        if isinstance(returned, Mapping):
            found = {name: mirrored(returned, name.split(".")) for name in self.claimed}
            return {name: jacobian for name, jacobian in found.items() if jacobian is not None}
        several = isinstance(returned, tuple) and len(self.claimed) > 1
        return dict(zip(self.claimed, returned if several else (returned,), strict=False))

    def _claimed(self, names: list[str]) -> list[str]:
        """Inputs that jac speaks of: those it names, as many as it returns, or the first."""
        if isinstance(self.jac, Mapping):
            unknown = [name for name in self.jac if name not in names]
            if unknown:
                raise UsageError(f"{self.name}: jac names {unknown[0]!r}, inputs: {names}")
            return list(self.jac)
        self.claimed = names[:1]
        for start in (3, 2, 4):
            sizes = probing.first_sizes(probing.names_of(self.declared), {}, start)
            made: list[Any] = []
            if probing.succeeds(lambda s=sizes, m=made: m.append(self._probe(s))):
                if isinstance(made[0], Mapping):
                    return [n for n in names if mirrored(made[0], n.split(".")) is not None]
                count = len(made[0]) if isinstance(made[0], tuple) else 1
                return names[:count]
        return names[:1]

    def _probe(self, sizes: Mapping[str, int]) -> Any:
        values = probing.numbers(self.declared, sizes)
        if self.jac is True:
            return _parts(self._call(self.fun, self.takes, values))[1]
        return self._call(self.jac, arguments(self.jac), values)

    def _runs(self, sizes: Mapping[str, int]) -> bool:
        if not probing.fits(self.declared, sizes):
            return False
        values = probing.numbers(self.declared, sizes, seed=3)
        return probing.gives_array(self._call, self.fun, self.takes, values)

    def _call(self, function: Any, takes: Arguments, inputs: Mapping[str, Any]) -> Any:
        values = self.build(inputs)
        own = {self.places[name]: value for name, value in values.items()}
        if not takes.more:
            own = {name: value for name, value in own.items() if name in takes.names} or dict(
                zip(takes.names, own.values(), strict=False)
            )
        with jax.x64() if self.on_jax else nullcontext():
            return call(function, takes, own)

    def _pulled_back(
        self, cotangent: Any, jacobian: Any, out: tuple[int, ...], into: tuple[int, ...]
    ) -> Any:
        cotangent = np.asarray(cotangent)
        if hasattr(jacobian, "rmatvec"):
            return np.reshape(jacobian.rmatvec(cotangent.ravel()), into)
        dense = np.asarray(jacobian.toarray() if hasattr(jacobian, "toarray") else jacobian)
        if self.inputs_first and dense.shape == into + out:
            return np.tensordot(dense, cotangent, axes=len(out))
        if dense.shape == out + into:
            return np.tensordot(cotangent, dense, axes=len(out))
        if dense.shape == into + out:
            return np.tensordot(dense, cotangent, axes=len(out))
        if dense.shape == into and (out == into or int(np.prod(out)) == 1):
            return np.asarray(cotangent.reshape(out if out == into else ()) * dense)
        raise ValueError(
            f"jac returned shape {dense.shape}, expected {out + into} "
            f"(outputs {out}, then inputs {into})"
        )

    def _recipe(self) -> str | None:
        fun, jac = module_level_name(self.fun), module_level_name(self.jac)
        if fun is None or jac is None:
            return None
        lines = [f"from {module} import {name}" for module, name in (fun, jac)]
        return "\n".join([*lines, "", f"subject = ({fun[1]}, {jac[1]})"])


def _is_backward(fun: Any, second: Any, inputs: Mapping[str, Any] | None) -> bool:
    """Whether a second function takes a cotangent, not a point: told by its names, or by trial."""
    own, names = arguments(fun).names, arguments(second).names
    if any(name.lower() in CACHES | COTANGENTS and name not in own for name in names):
        return True
    if inputs is None or (names and set(names) <= set(own)):
        return False
    return _works_with_cache(fun, second, inputs)


def _works_with_cache(fun: Any, second: Any, inputs: Mapping[str, Any]) -> bool:
    """Whether it does not take the point, but a cotangent and what forward kept beside a value."""
    declared, build = nested.declare(inputs, _name(fun))
    for start in (3, 2, 4):
        sizes = probing.first_sizes(probing.names_of(declared), {}, start)
        if not probing.fits(declared, sizes):
            continue
        point = list(build(probing.numbers(declared, sizes)).values())
        made: list[Any] = []
        if not probing.succeeds(lambda m=made, p=point: m.append(fun(*p))):
            continue
        pair = made[0] if isinstance(made[0], tuple) and len(made[0]) == 2 else (None, None)
        if isinstance(pair[0], np.ndarray) and pair[1] is not None:
            cotangent = np.ones_like(pair[0])
            takes_point = probing.succeeds(second, *point)
            return not takes_point and probing.succeeds(second, cotangent, pair[1])
    return False


def _parts(returned: Any) -> Any:
    """(value, gradient) of a function that returns both, as scipy.optimize has them too."""
    if isinstance(returned, Mapping) and {"fun", "jac"} <= returned.keys():
        return returned["fun"], returned["jac"]
    return returned


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _numbers(declared: Mapping[str, Input]) -> set[int]:
    return {
        int(axis.text)
        for item in declared.values()
        for axis in item.shape.dimensions
        if axis.text.isdigit()
    }


def _found(fun: Any) -> dict[str, Any]:
    names = [n for n in arguments(fun).names if n in arguments(fun).required] or ["x"]
    if len(names) == 1:

        def accepts(shape: tuple[int, ...]) -> bool:
            return probing.gives_array(fun, probing.numbers({"x": array(shape)}, {})["x"])

        # A function of one point, as optimisers take it: a vector before anything else.
        if all(accepts((size,)) for size in probing.FREE):
            return {names[0]: "n"}
        found = probing.find_shape(accepts, ())
        if found is not None:
            return {names[0]: found}
    example = ", ".join(f'"{n}": "n"' for n in names)
    raise UsageError(f"{_name(fun)}: give the shapes of its inputs: inputs={{{example}}}")
