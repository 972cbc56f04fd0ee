"""Factories: a class or function that takes sizes by name and makes a layer or a Subject.

The layer is made anew for the sizes of every example, so that square, rectangular, odd and tiny
ones are all tried. Its shapes are learned from two layers of different sizes.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gradcheck.adapters import numpy, probing
from gradcheck.adapters.recipes import recipe_of
from gradcheck.adapters.signatures import arguments
from gradcheck.adapters.state import seeded
from gradcheck.adapters.torch_autograd import loaded_torch, random_state
from gradcheck.dimensions import Dimension, shape_of
from gradcheck.errors import GradcheckError, UsageError
from gradcheck.inputs import Input, Integers
from gradcheck.subject import Subject

NAME = "a class that makes one of these when called with its sizes"
OPTIONS = None  # passed on to what it makes

# Sizes at which two layers are made. All different, and no sums or products of each other.
FIRST, SECOND = (3, 5, 7, 11, 13), (4, 9, 6, 17, 10)
SQUARE = 4
MOST_LAYERS = 64


def knows(obj: Any) -> bool:
    return isinstance(obj, type)


def makes_layers(obj: Any, inputs: Mapping[str, Any] | None) -> bool:
    """Whether a function called with sizes returns something that an adapter knows."""
    names = _sizes_taken(obj)
    if inputs is not None and any(name in inputs for name in names):
        return False
    made: list[Any] = []
    if not probing.succeeds(lambda: made.append(_make(obj, dict(zip(names, FIRST, strict=False))))):
        return False
    return _is_known(made[0])


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, **options: Any) -> Subject:
    """A Subject of the layers that `obj` makes; its required arguments are dimension names.

    inputs: of the layer, in terms of those names; options: of the layer's adapter.
    Raises UsageError where `obj` cannot be called with sizes, or one of them is in no shape.
    """
    from gradcheck.adapters import adapt as adapt_layer

    names = _sizes_taken(obj)
    dims = options.pop("dims", None)
    options.setdefault("name", str(getattr(obj, "__name__", type(obj).__name__)))

    def layer(sizes: Mapping[str, int], declared: Any = inputs, **more: Any) -> Subject:
        given = None if declared is None else {n: _at(i, sizes) for n, i in declared.items()}
        return adapt_layer(_make(obj, sizes), given, **{**options, **more})

    if not names:
        subject = layer({})
        return subject.but(dims=dims, recipe=recipe_of(obj)) if dims else subject
    made = [(s, _first(layer, obj, s)) for s in _trials(names)]
    return _Factory(layer, names, made).subject(dims, recipe_of(obj))


class _Factory:
    """A Subject that makes the layer of the right sizes for whatever arrays come."""

    def __init__(
        self,
        layer: Callable[..., Subject],
        names: tuple[str, ...],
        made: list[tuple[dict[str, int], Subject]],
    ) -> None:
        self.names = names
        self.made = made
        self.pattern = made[0][1]
        self.fixed = _fixed_by_sizes([subject.dims or {} for _, subject in made])
        self.inputs = {name: self._general(name) for name in self.pattern.inputs}
        # What the first layer's adapter found out holds for all: at size 0 it could not be seen.
        # A fault may let no rectangular layer run; a square one then.
        self.settled = numpy.settled(self.pattern) or numpy.settled(
            layer(dict.fromkeys(names, SQUARE))
        )
        self.make = layer
        self.layer = functools.lru_cache(maxsize=MOST_LAYERS)(self._layer)
        seen = {n for item in self.inputs.values() for n in item.shape.names}
        unseen = [name for name in names if name not in seen]
        if unseen:
            raise UsageError(
                f"{self.pattern.name}: its argument {unseen[0]!r} is in no shape of its inputs: "
                "give it a default, or an instance instead"
            )

    def subject(self, dims: Any, recipe: str | None) -> Subject:
        return self.pattern.but(
            forward=lambda **inputs: self._ready(inputs).forward(**inputs),
            vjp=lambda cotangent, **inputs: self._ready(inputs).vjp(cotangent, **inputs),
            later=None if self.pattern.later is None else self._later,
            inputs=self.inputs,
            dims={**self._kept_dims(), **(dims or {})},
            claim_error=self._claim_error,
            reset=None if self.pattern.reset is None else _nothing,
            recipe=recipe,
        )

    def _kept_dims(self) -> dict[str, tuple[int, int]]:
        dims = self.pattern.dims or {}
        return {n: b for n, b in dims.items() if n not in self.names and n not in self.fixed}

    def _pinned(self, k: int, bound: Any) -> str:
        """An axis of the k-th layer, or a bound; the size itself where that layer fixes it."""
        if isinstance(bound, Dimension) and bound.names and self.fixed.issuperset(bound.names):
            dims = self.made[k][1].dims or {}
            return str(bound.size({name: dims[name][0] for name in bound.names}))
        return str(getattr(bound, "text", bound))

    def _ready(self, inputs: Mapping[str, Any]) -> Subject:
        """The layer of these sizes, put back to its start where it keeps state."""
        subject = self._of(inputs)
        if subject.reset is not None:
            subject.reset()
        return subject

    def _later(self, cotangent: Any, others: Sequence[Any], /, **inputs: Any) -> Mapping[str, Any]:
        """The gradients after work at those of the other points that the same layer takes."""
        later = self._ready(inputs).later
        own = [point for point in others if self._sizes(point) == self._sizes(inputs)]
        return {} if later is None else later(cotangent, own, **inputs)

    def _of(self, inputs: Mapping[str, Any]) -> Subject:
        return self.layer(**self._sizes(inputs))

    def _sizes(self, inputs: Mapping[str, Any]) -> dict[str, int]:
        shapes = {name: item.shape for name, item in self.inputs.items()}
        sizes = probing.sizes_from(shapes, inputs)
        return {name: sizes[name] for name in self.names}

    def _layer(self, **sizes: int) -> Subject:
        own = {n: i for n, i in self.inputs.items() if n not in self.settled.get("parameters", ())}
        return self.make(sizes, own, **self.settled)

    def _claim_error(self, **inputs: Any) -> Mapping[str, Any]:
        stated = self._of(inputs).claim_error
        return stated(**inputs) if stated is not None else {}

    def _general(self, name: str) -> Input:
        """An input whose numbers are replaced by the sizes they follow."""
        items = [subject.inputs[name] for _, subject in self.made]
        axes = [[self._pinned(k, a) for a in i.shape.dimensions] for k, i in enumerate(items)]
        if len({len(a) for a in axes}) != 1:
            raise UsageError(f"{self.pattern.name}: `{name}` has other axes at other sizes")
        texts = [self._expression(seen) for seen in zip(*axes, strict=True)]
        leading = ["..."] if items[0].shape.leading else []
        item: Input = replace(items[0], shape=shape_of(", ".join([*leading, *texts])))
        if isinstance(item, Integers):
            bounds = [getattr(i, "high", 0) for i in items]
            high = self._expression(tuple(self._pinned(k, b) for k, b in enumerate(bounds)))
            return replace(item, high=Dimension(high) if not high.isdigit() else int(high))
        return item

    def _expression(self, seen: tuple[str, ...]) -> str:
        """The size, sum or product that takes these values at the sizes tried."""
        if len(set(seen)) == 1 or not all(text.isdigit() for text in seen):
            return seen[0]
        tried = [sizes for sizes, _ in self.made]
        for text in _expressions(self.names):
            values = [Dimension(text).size(sizes) for sizes in tried]
            if values == [int(text) for text in seen]:
                return text
        raise UsageError(
            f"{self.pattern.name}: an axis of length {' and '.join(seen)} at sizes "
            f"{' and '.join(map(str, tried))} follows no simple rule: give an instance"
        )


def _expressions(names: tuple[str, ...]) -> list[str]:
    """Simple integer expressions in these names, simplest first."""
    factors = [f"{k}*{n}" for n in names for k in (2, 3, 4, 6, 8)]
    shifts = [f"{n} {sign} {k}" for n in names for k in (1, 2, 3) for sign in "+-"]
    pairs = itertools.combinations_with_replacement(names, 2)
    joined = [f"{a}{op}{b}" for a, b in pairs for op in ("*", " + ")]
    halves = [f"{n} // {k}" for n in names for k in (2, 4)]
    return [*names, *factors, *shifts, *joined, *halves]


def _fixed_by_sizes(found: list[Mapping[str, tuple[int, int]]]) -> set[str]:
    """Dimension names that fit at one size only, at another one in a layer of other sizes."""
    first, second = found
    return {
        name
        for name in first.keys() & second.keys()
        if first[name] != second[name] and all(dims[name][0] == dims[name][1] for dims in found)
    }


def _trials(names: tuple[str, ...]) -> list[dict[str, int]]:
    return [dict(zip(names, sizes, strict=False)) for sizes in (FIRST, SECOND)]


def _first(layer: Callable[..., Subject], obj: Any, sizes: dict[str, int]) -> Subject:
    try:
        return layer(sizes)
    except GradcheckError:
        raise
    except Exception as error:
        said = ", ".join(f"{n}={s}" for n, s in sizes.items())
        name = getattr(obj, "__name__", repr(obj))
        raise UsageError(
            f"{name}({said}) raised {type(error).__name__}: {error}: a class or function to verify "
            "takes its sizes by name; give an instance where it takes anything else"
        ) from error


def _make(obj: Any, sizes: Mapping[str, int]) -> Any:
    """Call the factory with random state that is the same every time and left as it was."""
    with seeded():
        if loaded_torch() is None:
            return obj(**sizes)
        with random_state({}):
            return obj(**sizes)


def _sizes_taken(obj: Any) -> tuple[str, ...]:
    takes = arguments(obj)
    return tuple(name for name in takes.names if name in takes.required)[: len(FIRST)]


def _is_known(made: Any) -> bool:
    from gradcheck.adapters import adapters

    if isinstance(made, Subject):
        return True
    return any(m.knows(made) for m in adapters() if m.__name__.rsplit(".", 1)[1] != "function")


def _at(declared: Any, sizes: Mapping[str, int]) -> Any:
    """A declaration with the factory's sizes filled in."""
    if isinstance(declared, str):
        return _filled(declared, sizes)
    if not isinstance(declared, Input):
        return declared
    changes: dict[str, Any] = {"shape": shape_of(_filled(declared.shape.text, sizes))}
    if isinstance(declared, Integers):
        changes |= {side: _bound(getattr(declared, side), sizes) for side in ("low", "high")}
    return replace(declared, **changes)


def _bound(bound: Any, sizes: Mapping[str, int]) -> Any:
    known = isinstance(bound, Dimension) and set(bound.names) <= set(sizes)
    return bound.size(sizes) if known else bound


def _filled(text: str, sizes: Mapping[str, int]) -> str:
    return re.sub(r"[A-Za-z_]\w*", lambda m: str(sizes.get(m.group(), m.group())), text)


def _nothing() -> None:
    """State is restored layer by layer, when the sizes are known."""
