"""Functions that return a value and its pullback: y, back = f(x), then back(cotangent)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from gradcheck.adapters import jax, nested, probing
from gradcheck.adapters.recipes import recipe_of
from gradcheck.adapters.returned import Leaf, assign
from gradcheck.adapters.signatures import arguments, call, fit
from gradcheck.inputs import array
from gradcheck.subject import Subject

KIND = "a function that returns a value and its pullback"


def returns_one(function: Any, inputs: Mapping[str, Any] | None) -> bool:
    """Whether it returns a pair of arrays and a callable, tried at numbers of these inputs."""
    return inputs is not None and _tried(_Pullback(function, inputs)) is not None


def found(function: Any) -> dict[str, Any] | None:
    """Shapes at which a function of one array returns a pair with a pullback, by trial."""
    takes = arguments(function)
    names = [n for n in takes.names if n in takes.required]
    if len(names) != 1:
        return None

    def accepts(shape: tuple[int, ...]) -> bool:
        point = probing.numbers({"x": array(shape)}, {})["x"]
        made: list[Any] = []
        return probing.succeeds(lambda: made.append(function(point))) and _is_pair(made[0])

    shape = "n" if all(accepts((n,)) for n in probing.FREE) else probing.find_shape(accepts, ())
    return None if shape is None else {names[0]: shape}


def adapt(function: Any, inputs: Mapping[str, Any]) -> Subject:
    """A Subject of the values, and of what the pullback of a fresh call returns.

    Gradients come back alone, in the order of the arguments, or in a mapping.
    """
    own = _Pullback(function, inputs)
    axes = [axis.text for item in own.declared.values() for axis in item.shape.dimensions]
    sizes = {int(text) for text in axes if text.isdigit()}
    dims = probing.pinned(
        lambda at: probing.fits(own.declared, at) and _at(own, at) is not None,
        probing.names_of(own.declared),
        sizes,
    )
    return Subject(
        name=own.name,
        forward=own.forward,
        vjp=own.vjp,
        later=own.later,
        inputs=own.declared,
        dims=dims,
        recipe=recipe_of(function),
    )


class _Pullback:
    """The function called by input name, and its pullbacks."""

    def __init__(self, function: Callable[..., Any], inputs: Mapping[str, Any]) -> None:
        self.function = function
        self.name = str(getattr(function, "__name__", type(function).__name__))
        self.takes = arguments(function)
        self.declared, self.build = nested.declare(inputs, self.name)
        self.places = fit(inputs, self.takes, self.name)
        self.wanted = {n for n, item in self.declared.items() if item.differentiable}
        self.on_jax = jax.knows(function) or jax.refers(function)

    def called(self, inputs: Mapping[str, Any]) -> Any:
        with self._context():
            values = self.build(inputs)
            return call(self.function, self.takes, {self.places[n]: v for n, v in values.items()})

    def forward(self, /, **inputs: Any) -> Any:
        return nested.as_numpy(self.called(inputs)[0])

    def vjp(self, cotangent: Any, /, **inputs: Any) -> dict[str, Any]:
        return self._pulled(self.called(inputs)[1], cotangent, inputs)

    def later(
        self, cotangent: Any, others: Sequence[Mapping[str, Any]], /, **inputs: Any
    ) -> dict[str, Any]:
        """The gradients of a pullback that waits while others are made at other points."""
        back = self.called(inputs)[1]
        held = [self.called(point) for point in others]
        found = self._pulled(back, cotangent, inputs)
        del held
        return found

    def _pulled(self, back: Any, cotangent: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        several = isinstance(cotangent, tuple) and len(arguments(back).required) > 1
        with self._context():
            returned = back(*cotangent) if several else back(cotangent)
        named = self.build({name: Leaf(name) for name in inputs})
        found = assign(returned, list(named.values()), self.wanted, (), inputs)
        return {name: nested.as_numpy(gradient) for name, gradient in found.items()}

    def _context(self) -> Any:
        return jax.x64() if self.on_jax else nullcontext()


def _tried(own: _Pullback) -> Any:
    for start in (3, 2, 4):
        made = _at(own, probing.first_sizes(probing.names_of(own.declared), {}, start))
        if made is not None:
            return made
    return None


def _at(own: _Pullback, sizes: Mapping[str, int]) -> Any:
    if not probing.fits(own.declared, sizes):
        return None
    point = probing.numbers(own.declared, sizes)
    made: list[Any] = []
    ran = probing.succeeds(lambda: made.append(own.called(point)))
    return made[0] if ran and _is_pair(made[0]) else None


def _is_pair(made: Any) -> bool:
    if not isinstance(made, tuple) or len(made) != 2:
        return False
    value, back = made
    if not callable(back) or isinstance(back, type):
        return False
    return all(hasattr(leaf, "dtype") for leaf in nested.leaves(value))
