"""NumPy objects with a forward and a backward, however their gradients come out.

Gradients may be returned (alone, in a tuple in the order of the arguments, in a mapping), stored
beside the parameters (dW, W_grad, grads["W"], ...) or applied in place. Parameters are the float
arrays that the forward depends on and the backward learns; they become inputs of the Subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

from gradcheck.adapters import nested, probing, trying, unrestored, waiting
from gradcheck.adapters.layer import BACKWARDS, FORWARDS, Layer, method_of
from gradcheck.adapters.observe import Observed, learned, observe
from gradcheck.adapters.recipes import recipe_of
from gradcheck.adapters.signatures import fit
from gradcheck.adapters.slots import Slot
from gradcheck.adapters.state import seeded
from gradcheck.errors import UsageError
from gradcheck.inputs import Array, Input, array
from gradcheck.subject import Subject

NAME = "an object with forward and backward methods (or __call__ and backprop, ...)"
OPTIONS = frozenset(
    ("learning_rate", "parameters", "in_place", "frozen", "forward", "backward", "traits")
)  # fmt: skip

TRIALS = 1  # seed of trials; 0 is that of every evaluation


def knows(obj: Any) -> bool:
    if isinstance(obj, type) or hasattr(obj, "named_parameters"):
        return False
    return method_of(obj, FORWARDS) is not None and method_of(obj, BACKWARDS) is not None


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, **options: Any) -> Subject:
    """A Subject of an object with a forward and a backward; the object itself is not touched.

    learning_rate: of a backward that updates in place (else an attribute such as lr, else 1).
    parameters: names of the attributes that are parameters; in_place: of those that backward
    updates; frozen: of those that are none. forward, backward: names of the two methods.
    Raises UsageError where shapes must be given.
    """
    with seeded(TRIALS):  # a layer that draws must not move the user's generators
        return _adapted(obj, inputs, options)


def _adapted(obj: Any, inputs: Mapping[str, Any] | None, options: Mapping[str, Any]) -> Subject:
    layer = Layer(obj, options)
    declared, build = _declared(layer, inputs)
    data = {n: i for n, i in declared.items() if n not in layer.slots or n in layer.takes.names}
    layer.places = fit(build(dict.fromkeys(data)), layer.takes, layer.owner, layer.slots)
    layer.build = build
    layer.data = [n for n, item in data.items() if item.differentiable]
    dims = probing.pinned(
        lambda sizes: _runs(layer, data, sizes), probing.names_of(data), layer.sizes()
    )
    late = _watch_calls(layer, data, dims)
    told = options.get("parameters") is not None and options.get("in_place") is not None
    seen = None if told else _observed(layer, data, dims)
    slots = _parameters(layer, seen, options, late)
    layer.use(slots, seen)
    whole = {**data, **{n: declared.get(n, _fixed(s)) for n, s in slots.items()}}
    return Subject(
        name=type(obj).__name__,
        forward=layer.run_forward,
        vjp=layer.run_vjp,
        later=partial(unrestored.later, layer),
        inputs=whole,
        dims=dims,
        traits=layer.traits | ({"inplace"} if layer.in_place else set()),
        claim_error=layer.claim_error,
        reset=layer.reset,
        recipe=recipe_of(obj),
        remarks=_fixed_remarks(layer, seen, slots, options),
    )


def settled(subject: Subject) -> dict[str, Any]:
    """Options that make another object of the same class a Subject in the same way.

    Empty where nothing was to be seen, because backward raised or there is no such object.
    """
    layer = getattr(subject.forward, "__self__", None)
    if not isinstance(layer, Layer) or not layer.settled:
        return {}
    found: dict[str, Any] = {"parameters": list(layer.used), "in_place": sorted(layer.in_place)}
    if layer.in_place:
        found["learning_rate"] = layer.rate
    return {**found, "traits": sorted(layer.traits)}


def _declared(layer: Layer, inputs: Mapping[str, Any] | None) -> tuple[dict[str, Input], Any]:
    if inputs is not None:
        return nested.declare(inputs, layer.owner)
    needed = [n for n in layer.takes.names if n in layer.takes.required]
    names = needed or list(layer.takes.names[:1])
    if len(names) == 1:
        found = _found(layer, names[0])
        if found is not None:
            return nested.declare({names[0]: found}, layer.owner)
    example = ", ".join(f'"{n}": "batch features"' for n in names or ["x"])
    raise UsageError(
        f"{layer.owner}: no shape that its forward takes was found: give inputs={{{example}}}"
    )


def _found(layer: Layer, name: str) -> str | None:
    """The first usual shape that forward takes."""

    def accepts(shape: tuple[int, ...]) -> bool:
        return trying.accepts(layer, {name: array(shape)}, {})

    def pulls(shape: tuple[int, ...]) -> bool:
        point = probing.numbers({name: array(shape)}, {})
        return accepts(shape) and trying.pulls(layer, name, point[name])

    found = probing.find_shape(accepts, layer.sizes())
    if found is None or any(not axis.isdigit() for axis in found.split()):
        return found
    # At one fixed shape forward may run by an accident of broadcasting: not so where backward does.
    return probing.find_shape(pulls, layer.sizes()) or found


def _runs(layer: Layer, data: Mapping[str, Input], sizes: Mapping[str, int]) -> bool:
    return trying.accepts(layer, data, sizes)


def _observed(
    layer: Layer, data: Mapping[str, Input], dims: Mapping[str, tuple[int, int]]
) -> Observed | None:
    """One forward and backward watched at small sizes; None where forward raises there too."""
    sizes = _runnable(layer, data, dims)
    return None if sizes is None else observe(layer, probing.numbers(data, sizes, seed=5))


def _runnable(
    layer: Layer, data: Mapping[str, Input], dims: Mapping[str, tuple[int, int]]
) -> dict[str, int] | None:
    """Small sizes at which forward runs."""
    names = probing.names_of(data)
    for start in (3, 2, 4):
        sizes = probing.first_sizes(names, dims, start)
        if trying.accepts(layer, data, sizes):
            return sizes
    return None


def _watch_calls(
    layer: Layer, data: Mapping[str, Input], dims: Mapping[str, tuple[int, int]]
) -> set[str]:
    """Let the first forward finish the object, and find its lists of calls that wait.

    Returns the names of the arrays that were made late.
    """
    sizes = _runnable(layer, data, dims)
    if sizes is None:
        return set()
    values, others = (probing.numbers(data, sizes, seed=seed) for seed in (5, 6))
    late = waiting.made_late(layer, values, others)
    if late:
        layer.begin(waiting.finished(layer, values))
    layer.queues = waiting.queues(layer, values, others)
    return late


def _parameters(
    layer: Layer, seen: Observed | None, options: Mapping[str, Any], late: AbstractSet[str]
) -> dict[str, Slot]:
    """The slots that are parameters: named by the user, or told by what was observed."""
    for option in ("parameters", "in_place", "frozen"):
        for name in options.get(option) or ():
            if name not in layer.slots:
                known = ", ".join(layer.slots) or "none"
                raise UsageError(f"{layer.owner}: {option} names {name!r}; its arrays: {known}")
    if options.get("parameters") is not None:
        return {name: layer.slots[name] for name in options["parameters"]}
    frozen = set(options.get("frozen") or ()) | set(layer.places.values())
    told = set() if seen is None else seen.updated | seen.kept
    # What forward makes for itself may be a table as well: a parameter is what backward learns.
    frozen |= {n for n, s in layer.slots.items() if s.places[0].path in late} - told
    return {n: s for n, s in layer.slots.items() if n not in frozen and learned(s, seen)}


def _fixed_remarks(
    layer: Layer, seen: Observed | None, slots: Mapping[str, Slot], options: Mapping[str, Any]
) -> tuple[str, ...]:
    """What forward reads and backward does not learn is no input: said, lest it be a mistake."""
    if seen is None or options.get("parameters") is not None:
        return ()
    own = set(options.get("frozen") or ()) | set(layer.places.values()) | seen.cached
    left = [
        name
        for name, slot in layer.slots.items()
        if name in seen.read and name not in slots and name not in own
        if slot.is_array and not slot.is_integer and not slot.looks_like_buffer
    ]
    if not left:
        return ()
    named = ", ".join(f"`{name}`" for name in left[:4]) + (", ..." if len(left) > 4 else "")
    return (f"{named}: read by forward, given no gradient by backward: taken as fixed",)


def _fixed(slot: Slot) -> Array:
    shape = slot.value.shape if slot.is_array else ()
    is_complex = slot.is_array and slot.value.dtype.kind == "c"
    return array(" ".join(map(str, shape)), complex=is_complex)
