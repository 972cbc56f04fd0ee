"""A NumPy object at work: parameters set, forward and backward called, gradients gathered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.adapters import in_place, nested
from gradcheck.adapters.asked import Asked
from gradcheck.adapters.contextual import with_context
from gradcheck.adapters.returned import Leaf, assign
from gradcheck.adapters.signatures import arguments, call
from gradcheck.adapters.slots import Slot, find_slots, in_collections, mirrored
from gradcheck.adapters.state import Place, Snapshot, loosen, seeded, working_copy
from gradcheck.errors import UsageError
from gradcheck.traits import as_traits

if TYPE_CHECKING:
    from gradcheck.adapters.observe import Observed

FORWARDS = (
    "forward", "forward_pass", "forward_propagate", "forwardprop", "fprop", "feedforward",
    "feed_forward", "propagate", "__call__",
)  # fmt: skip
BACKWARDS = (
    "backward", "backprop", "back_prop", "backpropagate", "back_propagate", "backward_pass",
    "backpropagation", "bprop", "backwards", "back", "vjp",
)  # fmt: skip


def method_of(obj: Any, names: Sequence[str]) -> str | None:
    """The first of these methods that the object has."""
    return next((name for name in names if callable(getattr(obj, name, None))), None)


class Layer:
    """A working copy of a user's object. `use` says what its parameters are."""

    def __init__(self, obj: Any, options: Mapping[str, Any]) -> None:
        self.owner = type(obj).__name__
        self.options = options
        self.traits = set(as_traits(options.get("traits") or (), self.owner))
        self.forward_name = self._method(obj, "forward", FORWARDS)
        self.backward_name = self._method(obj, "backward", BACKWARDS)
        self.begin(working_copy(with_context(obj, self.forward_name, self.backward_name)))
        self.takes = arguments(getattr(self.work, self.forward_name))
        self.queues: list[tuple[Place, list[Any]]] = []
        self.used: dict[str, Slot] = {}
        self.in_place: set[str] = set()
        self.settled = False  # whether a backward was seen, or the user said what it does
        self.data: list[str] = []
        self.places: dict[str, str] = {}
        self.build: nested.Build = dict
        self.rate = 1.0
        self._pending: Snapshot | None = None
        self.asked = Asked(getattr(self.work, self.backward_name), self.takes)

    def begin(self, work: Any) -> None:
        """Work on this object, as it is now."""
        loosen(work)
        self.work = work
        self.pristine = Snapshot.of(work)
        self.slots = find_slots(work)

    def _method(self, obj: Any, role: str, names: Sequence[str]) -> str:
        name = self.options.get(role) or method_of(obj, names)
        if not isinstance(name, str) or not callable(getattr(obj, name, None)):
            raise UsageError(f"{self.owner}: {role}={name!r} is not a method of it")
        return name

    def sizes(self) -> set[int]:
        """Axis lengths seen in the object's arrays."""
        return {n for slot in self.slots.values() for n in np.shape(slot.value)}

    def use(self, slots: dict[str, Slot], seen: Observed | None) -> None:
        """Settle what is a parameter, what learns in place, and at which rate."""
        self.used = slots
        self.pristine.restore()
        given = self.options.get("learning_rate")
        if given is not None:
            self.rate = in_place.as_rate(given)
        elif not self.asked.rate:
            self.rate = seen.rate if seen is not None else self._held_rate()
        self.in_place = set(self.options.get("in_place") or ())
        self.settled = seen.backward if seen is not None else "in_place" in self.options
        if seen is not None:
            self.in_place |= seen.updated & slots.keys() - seen.kept
            self.traits |= seen.traits

    def _held_rate(self) -> float:
        held = in_place.held_rates(self.work, self.used)
        return held[0][2] if held else 1.0

    # -- what the Subject calls ----------------------------------------------------------------

    def run_forward(self, /, **inputs: Any) -> Any:
        self._set(inputs)
        with self._random_state():
            return self.outputs(self.forward_on(self.work, inputs))

    def run_vjp(self, cotangent: Any, /, **inputs: Any) -> dict[str, Any]:
        """Forward, then backward; gradients by input name. Raises what the object raises."""
        self._reject_integers(cotangent, inputs)
        self._set(inputs)
        return self._claim(cotangent, inputs)

    def claim_error(self, /, **inputs: Any) -> dict[str, Any]:
        return {n: in_place.rounding(inputs[n], self.rate) for n in self.in_place if n in inputs}

    def reset(self) -> None:
        """Undo what the last backward wrote; all state, or random state, where declared."""
        if self._pending is not None:
            self._pending.restore()
            self._pending = None
        if "stateful" in self.traits:
            self.pristine.restore()
        elif "stochastic" in self.traits:
            self.pristine.restore_generators()

    # -- one evaluation ------------------------------------------------------------------------

    def _claim(self, cotangent: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        with self._random_state():
            raw = self.forward_on(self.work, inputs)
            self._pending = Snapshot.of(self.work)
            before = {name: np.array(slot.get()) for name, slot in self.used.items()}
            returned = self.backward_on(self.work, cotangent, inputs, raw)
        found = {
            **self._returned(returned, inputs),
            **self._of_parameters(returned, inputs, before),
        }
        return self._scaled(found, cotangent, raw)

    def of_data(
        self, returned: Any, inputs: Mapping[str, Any], cotangent: Any, raw: Any
    ) -> dict[str, Any]:
        """Gradients of the data alone, out of what backward returned for this cotangent."""
        return self._scaled(self._returned(returned, inputs), cotangent, raw)

    def _scaled(self, found: dict[str, Any], cotangent: Any, raw: Any) -> dict[str, Any]:
        if not self.asked.takes_no_cotangent(self.outputs(raw)):
            return found
        # The backward of a loss takes no cotangent: what it returns is multiplied by it here.
        whole = np.asarray(cotangent).reshape(())
        return {name: whole * gradient for name, gradient in found.items()}

    def _random_state(self) -> Any:
        return seeded() if "stochastic" in self.traits else nullcontext()

    def _set(self, inputs: Mapping[str, Any]) -> None:
        if self._pending is not None:
            self.reset()
        self.put(inputs)

    def put(self, inputs: Mapping[str, Any]) -> None:
        """Set the parameters, and nothing else of the state."""
        for name, slot in self.used.items():
            slot.set(inputs[name])
        for place, held in self.queues:  # calls whose backward nobody asked for
            place.set(list(held))

    def forward_on(self, work: Any, inputs: Mapping[str, Any]) -> Any:
        """What the forward of `work` returns for the data among `inputs`."""
        return call(getattr(work, self.forward_name), self.takes, self._arguments(inputs))

    def outputs(self, raw: Any) -> Any:
        """What forward returned as arrays: without its cache; a plain number is an array too."""
        found = nested.outputs(self.asked.without_cache(raw))
        return np.asarray(found) if isinstance(found, float) else found

    def _arguments(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        values = self.build(inputs)
        return {self.places[name]: v for name, v in values.items() if name in self.places}

    def backward_on(self, work: Any, cotangent: Any, inputs: Mapping[str, Any], raw: Any) -> Any:
        """What the backward of `work` returns, given what it asks for by name."""
        own, backward = self._arguments(inputs), getattr(work, self.backward_name)
        back = self.asked.back
        if self.asked.takes_no_cotangent(self.outputs(raw)):
            return call(backward, back, {n: v for n, v in own.items() if n in back.names})
        return call(backward, back, self.asked.values(cotangent, own, raw, self.rate))

    # -- where the gradients are ---------------------------------------------------------------

    def assigned(
        self, returned: Any, inputs: Mapping[str, Any], used: Sequence[str]
    ) -> dict[str, Any]:
        """What backward returned, by name: of the forward's arguments, then of parameters."""
        return assign(returned, self._trees(inputs), set(self.data), used, inputs)

    def _trees(self, inputs: Mapping[str, Any]) -> list[Any]:
        """The names of inputs, in the containers and in the order in which forward takes them."""
        named = self.build({name: Leaf(name) for name in inputs})
        placed = [n for n in named if n in self.places]
        extra = [f"*{k}" for k in range(len(named))]
        order = [*self.takes.names, *extra, *(self.places[n] for n in placed)]
        return [named[n] for n in sorted(placed, key=lambda n: order.index(self.places[n]))]

    def _returned(self, returned: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Gradients of the forward's own arguments, out of what backward returned."""
        found = self.assigned(returned, inputs, list(self.used))
        return {name: found[name] for name in self.data if name in found}

    def _of_parameters(
        self, returned: Any, inputs: Mapping[str, Any], before: Mapping[str, Any]
    ) -> dict[str, Any]:
        gradients = {}
        by_order = self.assigned(returned, inputs, list(self.used))
        for name, slot in self.used.items():
            found = self._of_parameter(name, slot, returned, by_order, before[name])
            if found is not None:
                gradients[name] = found
        return gradients

    def _of_parameter(
        self, name: str, slot: Slot, returned: Any, by_order: Mapping[str, Any], before: Any
    ) -> Any:
        if isinstance(returned, tuple | list) and returned and isinstance(returned[-1], Mapping):
            returned = returned[-1]
        if isinstance(returned, Mapping):
            found = mirrored(returned, name.split("."))
            if found is not None:
                return found
        elif name in by_order:
            return by_order[name]
        stored = slot.stored_gradient()
        if stored is None:
            stored = in_collections(self.work, slot)
        if stored is not None and not callable(stored):
            return np.array(stored)  # a copy: the object may use its store again
        if name not in self.in_place and not np.array_equal(slot.get(), before):
            self.in_place.add(name)
        # An update that changes nothing is a gradient of zero, where this object updates at all.
        return in_place.recovered(before, slot.get(), self.rate) if self.in_place else None

    # -- integer parameters --------------------------------------------------------------------

    def _reject_integers(self, cotangent: Any, inputs: Mapping[str, Any]) -> None:
        """Raise where the object's own integer arrays spoil the gradient that floats would give."""
        for name in [name for name, slot in self.used.items() if slot.is_integer]:
            slot = self.used[name]
            rounded = np.rint(inputs[name])
            self._set({**inputs, name: rounded})
            wanted = self._claim(cotangent, {**inputs, name: rounded}).get(name)
            self._set({**inputs, name: rounded.astype(slot.value.dtype)})
            try:
                got = self._claim(cotangent, inputs).get(name)
            except (TypeError, ValueError) as error:
                raise TypeError(_integer(name, slot, f"backward raises {error}")) from error
            if wanted is not None and (got is None or not np.allclose(got, wanted)):
                raise TypeError(_integer(name, slot, "its gradient is cut to whole numbers"))


def _integer(name: str, slot: Slot, what: str) -> str:
    return f"parameter `{name}` is {slot.value.dtype}: {what}; make it floating point"
