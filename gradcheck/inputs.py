"""What may be fed to a subject: arrays, integers, masks and constants, with named dimensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from gradcheck.dimensions import Dimension, Shape, dimension, shape_of
from gradcheck.domains import DOMAINS, Domain
from gradcheck.domains import domain as domain_named
from gradcheck.errors import UsageError

Values = Callable[[np.random.Generator, tuple[int, ...]], Any]
Bound = int | Dimension


@dataclass(frozen=True)
class Input:
    """One argument of the forward, of a shape in named dimensions."""

    shape: Shape = field(default_factory=lambda: shape_of(""))
    differentiable: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The dimension names this input uses."""
        return self.shape.names


@dataclass(frozen=True)
class Array(Input):
    """Real numbers between `low` and `high`, the ends among them unless `open`, on a `domain`.

    along: whether the derivative along the domain is what counts.
    """

    low: float | None = None
    high: float | None = None
    open: bool = False
    values: Values | None = None
    complex: bool = False
    differentiable: bool = True
    domain: Domain | None = None
    along: bool = False


@dataclass(frozen=True)
class Integers(Input):
    """int64 in [low, high): indices, labels, lengths."""

    low: Bound = 0
    high: Bound = 1

    @property
    def names(self) -> tuple[str, ...]:
        bounds = [b for b in (self.low, self.high) if isinstance(b, Dimension)]
        return tuple(dict.fromkeys((*self.shape.names, *(n for b in bounds for n in b.names))))


@dataclass(frozen=True)
class Mask(Input):
    """Booleans; with `of`, the mask laws apply to that input: its masked entries do not count."""

    of: str | None = None
    true: Literal["keep", "drop"] = "keep"
    at_least: int = 0


@dataclass(frozen=True)
class Constant(Input):
    """The same value in every example: a flag, an option, None, a fixed array."""

    value: Any = None


def array(
    shape: object = "",
    *,
    low: float | None = None,
    high: float | None = None,
    open: bool = False,
    domain: str | None = None,
    steps: Literal["free", "along"] = "free",
    values: Values | None = None,
    complex: bool = False,
    differentiable: bool = True,
) -> Array:
    """Floating point input of a shape such as "batch features", of the subject's dtype.

    low, high: bounds that belong to the domain and are tried (`open=True`: they are left out;
    None: unbounded). They are never stepped over. domain: a set by name instead ("positive",
    "simplex", "spd", "one-hot", ...: see `gradcheck.domains`, which says what is verified there).
    steps: "along" verifies the derivative along that set alone, "free" that of all entries.
    values(rng, shape): a set that has no name. complex: a complex input.
    Raises UsageError for a shape that does not parse, for bounds in the wrong order, and for a
    domain that is unknown, does not fit the shape or stands beside bounds or values of one's own,
    and for steps along a set that is as wide as the space around it.
    """
    if steps not in ("free", "along"):
        raise UsageError(f"array: steps={steps!r}, expected 'free' or 'along'")
    if steps == "along" and (domain is None or domain_named(domain, shape_of(shape)).near is None):
        narrow = ", ".join(repr(name) for name, d in DOMAINS.items() if d.near is not None)
        raise UsageError(f"array: steps='along' with domain={domain!r}, expected one of {narrow}")
    if domain is not None:
        own = {"low": low, "high": high, "open": open, "values": values, "complex": complex}
        found = _on_domain(domain, shape_of(shape), differentiable, own)
        return replace(found, along=steps == "along")
    if low is not None and high is not None and not low <= high:
        raise UsageError(f"array: low={low!r} is above high={high!r}")
    if values is not None and not callable(values):
        raise UsageError(f"array: values={values!r} is not a callable (rng, shape) -> array")
    return Array(shape_of(shape), differentiable, low, high, open, values, complex)


def _on_domain(name: str, shape: Shape, differentiable: bool, own: dict[str, Any]) -> Array:
    found = domain_named(name, shape)
    beside = next((f"{n}={v!r}" for n, v in own.items() if v is not None and v is not False), None)
    if beside is not None:
        raise UsageError(f"array: domain={name!r} and {beside}: a domain says which values it has")
    bounded = found.low is not None or found.high is not None
    moving = differentiable and found.differentiable
    return Array(shape, moving, found.low, found.high, bounded, domain=found)


def integers(shape: object, low: int | str, high: int | str) -> Integers:
    """int64 input in [low, high), upper end excluded; a bound may name a dimension."""
    return Integers(shape_of(shape), False, _bound("low", low), _bound("high", high))


def mask(
    shape: object,
    *,
    of: str | None = None,
    true: Literal["keep", "drop"] = "keep",
    at_least: int = 0,
) -> Mask:
    """Boolean input. `of` names the input whose entries it keeps or drops; `true` says which.

    at_least: so many True entries in each row (last axis).
    """
    if true not in ("keep", "drop"):
        raise UsageError(f"mask: true={true!r}, expected 'keep' or 'drop'")
    if at_least < 0:
        raise UsageError(f"mask: at_least={at_least!r} is negative")
    return Mask(shape_of(shape), False, of, true, at_least)


def constant(value: Any) -> Constant:
    """The same `value` in every example; it gets no gradient."""
    return Constant(value=value)


def as_inputs(given: Mapping[str, object], owner: str) -> dict[str, Input]:
    """Every declared input as an Input; a bare string is an `array` of that shape."""
    if not isinstance(given, Mapping) or not given:
        raise UsageError(f"{owner}: inputs={given!r}, expected a mapping of name to shape")
    declared = {name: _as_input(name, value) for name, value in given.items()}
    for name, item in declared.items():
        if isinstance(item, Mask) and item.of is not None and item.of not in declared:
            raise UsageError(f"{owner}: mask {name!r} is of {item.of!r}, which is not an input")
    return declared


def _as_input(name: str, value: object) -> Input:
    if isinstance(value, Input):
        return value
    if isinstance(value, str | int | tuple | list):
        return array(value)
    if isinstance(value, np.ndarray) or value is None:
        return constant(value)
    raise UsageError(f"input {name!r}: {value!r} is neither a shape nor an input declaration")


def _bound(name: str, value: int | str) -> Bound:
    if isinstance(value, str):
        return dimension(value)
    if isinstance(value, int | np.integer):
        return int(value)
    raise UsageError(f"integers: {name}={value!r}, expected an integer or a dimension name")
