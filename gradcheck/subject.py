"""Subject: what is verified, whatever it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gradcheck.callables import signature_of
from gradcheck.errors import UsageError
from gradcheck.inputs import Input, as_inputs
from gradcheck.traits import as_traits

KINK_RULES = ("subgradient", "autodiff", "twin", "avoid")
Kinks = str | float | Callable[..., Any]


@dataclass(frozen=True)
class Subject:
    """A forward and a claimed VJP, with the inputs they take.

    forward(**inputs) returns one array or a tuple of arrays. vjp(cotangent, **inputs) returns a
    mapping from input name to gradient, for every differentiable input; `cotangent` is a tuple
    where forward returns one, with None for outputs that are integers or None.
    inputs: name to shape string, or to `array`, `integers`, `mask`, `constant`.
    jvp(tangents, **inputs): forward mode, where there is one. twin: another implementation to
    agree with (a Subject, or a callable on torch tensors whose gradient is its autograd).
    kinks: what the claim may be where the function is not differentiable: "subgradient",
    "autodiff", "twin", "avoid", a number alpha (left slope + alpha (right - left)), or a callable
    (cotangent, arrays) -> gradients. second(directions, cotangent, **inputs): gradients of
    <directions, vjp(cotangent, **inputs)>, a pair: by input name, and of the cotangent; or text
    that says why the vjp cannot be differentiated again. traits: see `gradcheck.traits`.
    dims: name to (low, high).
    where(**dims): which combinations of sizes are legal. source: document number or paper.

    The fields after `source` are set by adapters: backend names the array library forward and
    vjp speak; claim_error(**inputs) -> absolute error of the claim by input; reset() restores
    state before every evaluation; recipe is Python text that builds the object again; remarks is
    what the adapter assumed or noticed; without_gradient holds positions of outputs that are marked
    as not differentiable and get no cotangent; owned names the parameters that a framework's layer
    keeps, in a memory layout of its own; later(cotangent, others, **inputs) is the vjp where work
    at `others`, a list of inputs by name, comes between building the graph and its backward.

    second_offered says that `second` is what the framework makes of the vjp, and nobody's claim.

    Raises UsageError for a name, trait, kink rule or input that cannot be used.
    """

    name: str
    forward: Callable[..., Any]
    vjp: Callable[..., Any]
    inputs: Mapping[str, Any]
    jvp: Callable[..., Any] | None = field(default=None, kw_only=True)
    second: Callable[..., Any] | str | None = field(default=None, kw_only=True)
    twin: Any = field(default=None, kw_only=True)
    kinks: Kinks = field(default="subgradient", kw_only=True)
    traits: Iterable[str] = field(default=(), kw_only=True)
    dims: Mapping[str, tuple[int, int]] | None = field(default=None, kw_only=True)
    where: Callable[..., bool] | None = field(default=None, kw_only=True)
    source: str = field(default="", kw_only=True)
    backend: str = field(default="numpy", kw_only=True)
    claim_error: Callable[..., Mapping[str, Any]] | None = field(default=None, kw_only=True)
    reset: Callable[[], None] | None = field(default=None, kw_only=True)
    recipe: str | None = field(default=None, kw_only=True)
    remarks: tuple[str, ...] = field(default=(), kw_only=True)
    without_gradient: frozenset[int] = field(default=frozenset(), kw_only=True)
    owned: frozenset[str] = field(default=frozenset(), kw_only=True)
    second_offered: bool = field(default=False, kw_only=True)
    later: Callable[..., Mapping[str, Any]] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        owner = f"subject {self.name!r}"
        if not isinstance(self.name, str) or not self.name:
            raise UsageError(f"subject: name={self.name!r}, expected a non-empty string")
        for role in ("forward", "vjp"):
            if not callable(getattr(self, role)):
                raise UsageError(f"{owner}: {role}={getattr(self, role)!r} is not callable")
        set_field = object.__setattr__
        set_field(self, "inputs", as_inputs(self.inputs, owner))
        set_field(self, "traits", as_traits(self.traits, owner))
        set_field(self, "dims", _as_dims(self.dims, self.inputs, owner))
        _check_kinks(self.kinks, owner)
        set_field(self, "forward", _by_keyword(self.forward, self.inputs, 0, f"{owner}: forward"))
        set_field(self, "vjp", _by_keyword(self.vjp, self.inputs, 1, f"{owner}: vjp"))

    @property
    def differentiable(self) -> tuple[str, ...]:
        """Names of the inputs that must get a gradient, in order."""
        return tuple(name for name, item in self.inputs.items() if item.differentiable)

    @property
    def dimension_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(n for item in self.inputs.values() for n in item.names))

    def but(self, **changes: Any) -> Subject:
        """The same subject with some fields replaced; another vjp has no `later` of the old one."""
        if "vjp" in changes:
            changes.setdefault("later", None)
        return replace(self, **changes)


def _as_dims(
    dims: Mapping[str, tuple[int, int]] | None, inputs: Mapping[str, Input], owner: str
) -> dict[str, tuple[int, int]]:
    known = {name for item in inputs.values() for name in item.names}
    bounds = {}
    for name, given in (dims or {}).items():
        if name not in known and name != "...":
            raise UsageError(f"{owner}: dims names {name!r}, which no input's shape uses")
        low, high = (given, given) if isinstance(given, int) else given
        if not 0 <= low <= high:
            raise UsageError(f"{owner}: dims[{name!r}]={given!r}, expected 0 <= low <= high")
        bounds[name] = (int(low), int(high))
    return bounds


def _check_kinks(kinks: Kinks, owner: str) -> None:
    if callable(kinks) or (isinstance(kinks, int | float) and not isinstance(kinks, bool)):
        return
    if kinks not in KINK_RULES:
        rules = ", ".join(map(repr, KINK_RULES))
        raise UsageError(f"{owner}: kinks={kinks!r}, expected {rules}, a number or a callable")


@dataclass(frozen=True)
class ByPosition:
    """A function whose parameters have other names, or none (np.sin): called by position."""

    function: Callable[..., Any]
    names: tuple[str, ...]

    def __call__(self, /, *first: Any, **inputs: Any) -> Any:
        return self.function(*first, *(inputs[name] for name in self.names))


def _by_keyword(
    function: Callable[..., Any], inputs: Mapping[str, Input], first: int, owner: str
) -> Callable[..., Any]:
    """`function` as it can be called with `first` positional arguments and inputs by name."""
    try:
        signature = signature_of(function)
    except (TypeError, ValueError):  # some C functions have none to read: numpy's are positional
        return ByPosition(function, tuple(inputs))
    leading = (None,) * first
    try:
        signature.bind(*leading, **dict.fromkeys(inputs))
    except TypeError as by_name:
        try:
            signature.bind(*leading, *inputs)
        except TypeError:
            raise UsageError(f"{owner}{signature} does not fit inputs: {by_name}") from None
        return ByPosition(function, tuple(inputs))
    return function
