"""Pairs of functions: (fun, jac) as in scipy.optimize, and (forward, backward) with a cache."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradcheck.adapters import nested, probing
from gradcheck.adapters.recipes import module_level_name
from gradcheck.adapters.signatures import Arguments, arguments, call, fit
from gradcheck.errors import UsageError
from gradcheck.inputs import Input, array
from gradcheck.subject import Subject

NAME = "a pair (fun, jac) or (forward, backward)"
OPTIONS = frozenset(("inputs_first", "traits", "learning_rate"))

# First argument of a function that takes a cotangent rather than a point.
_COTANGENTS = frozenset(
    ("cotangent", "cotangents", "dout", "dy", "dz", "da", "grad", "gradient", "upstream", "delta",
     "grad_output", "output_grad", "output_gradient", "dout_", "g", "gy", "grad_out", "dl_dy")
)  # fmt: skip


def knows(obj: Any) -> bool:
    if not isinstance(obj, tuple) or len(obj) != 2 or not callable(obj[0]):
        return False
    second = obj[1]
    if isinstance(second, Mapping):
        return all(map(callable, second.values()))
    return callable(second) or second is True


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, **options: Any) -> Subject:
    """A Subject of a function and its Jacobian, or of a forward and its backward.

    jac may be a callable on the arguments of fun, a mapping of them by input name, or True where
    fun returns (value, gradient). What jac returns is told by its shape: output axes then input
    axes (inputs_first=True: the other way round), the diagonal alone of an elementwise function,
    or a gradient of one number. A second function whose first argument is a cotangent (dout,
    grad_output, ...) is a backward: it is given that and what forward cached.
    Raises UsageError where the shapes of the inputs must be given.
    """
    fun, second = obj
    if callable(second) and _takes_cotangent(second):
        from gradcheck.adapters import numpy

        own = {n: v for n, v in options.items() if n in numpy.OPTIONS}
        return numpy.adapt(_Functions(fun, second), inputs, **own).but(name=_name(fun))
    if inputs is None:
        inputs = _found(fun)
    return _Pair(fun, second, inputs, bool(options.get("inputs_first"))).subject()


class _Functions:
    """A forward and a backward function in the shape of an object."""

    def __init__(self, forward: Callable[..., Any], backward: Callable[..., Any]) -> None:
        self.forward, self.backward = forward, backward


class _Pair:
    """fun and jac as forward and vjp."""

    def __init__(self, fun: Any, jac: Any, inputs: Mapping[str, Any], inputs_first: bool) -> None:
        self.fun, self.jac, self.inputs_first = fun, jac, inputs_first
        self.name = _name(fun)
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
        value = value[0] if self.jac is True else value
        return np.asarray(value) if isinstance(value, float | list) else nested.outputs(value)

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
            returned = self._call(self.fun, self.takes, inputs)[1]
        else:
            returned = self._call(self.jac, arguments(self.jac), inputs)
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
                count = len(made[0]) if isinstance(made[0], tuple) else 1
                return names[:count]
        return names[:1]

    def _probe(self, sizes: Mapping[str, int]) -> Any:
        values = probing.numbers(self.declared, sizes)
        if self.jac is True:
            return self._call(self.fun, self.takes, values)[1]
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


def _takes_cotangent(function: Any) -> bool:
    names = arguments(function).names
    return "cache" in names or bool(names and names[0].lower() in _COTANGENTS)


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
