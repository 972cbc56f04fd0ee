"""JAX functions, custom_vjp and custom_jvp among them: the gradient is jax.vjp's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from gradcheck.adapters import nested, probing
from gradcheck.adapters.recipes import recipe_of
from gradcheck.adapters.signatures import arguments, call, fit
from gradcheck.adapters.source import refers_to
from gradcheck.errors import MissingExtra, UsageError
from gradcheck.inputs import array
from gradcheck.subject import Subject

NAME = "a JAX function or custom_vjp"
OPTIONS = frozenset(("framework",))


def knows(obj: Any) -> bool:
    if "jax" not in sys.modules or not callable(obj) or isinstance(obj, type):
        return False
    return is_custom(obj) or type(obj).__module__.split(".")[0] in ("jax", "jaxlib")


def is_custom(obj: Any) -> bool:
    """Whether a derivative was written by hand."""
    return type(obj).__name__ in ("custom_vjp", "custom_jvp")


def refers(function: Any) -> bool:
    return "jax" in sys.modules and refers_to(function, "jax")


def require_jax() -> Any:
    """The jax module. Raises MissingExtra where it is not installed."""
    try:
        import jax
    except ImportError:
        raise MissingExtra("jax is not installed: pip install 'gradcheck[jax]'") from None
    return jax


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, framework: str = "jax") -> Subject:
    """A Subject of a function on JAX arrays, run in float64 whatever the process is set to.

    inputs: by the names of its arguments, or in their order. Raises UsageError where the shapes
    of the inputs must be given.
    """
    require_jax()
    name = str(getattr(obj, "__name__", type(obj).__name__))
    takes = arguments(obj)
    if inputs is None:
        inputs = _found(obj, takes, name)
    declared, build = nested.declare(inputs, name)
    places = fit(inputs, takes, name)

    def run(values: Mapping[str, Any]) -> Any:
        return call(obj, takes, {places[n]: value for n, value in build(values).items()})

    return from_run(
        run,
        declared,
        twice=True,
        name=name,
        kinks="subgradient" if is_custom(obj) else "autodiff",
        traits=() if is_custom(obj) else {"autograd"},
        recipe=recipe_of(obj),
    )


def from_run(
    run: Callable[[Mapping[str, Any]], Any],
    declared: Mapping[str, Any],
    twice: bool = False,
    **fields: Any,
) -> Subject:
    """A Subject of `run`, a function of JAX arrays by input name; NumPy outside.

    twice: whether its vjp may be differentiated once more.
    """
    names = [name for name, item in declared.items() if item.differentiable]
    compiled = _Compiled(run, names)
    # What is not written by hand is pure: nothing it saves can go stale.
    later = compiled.later if "autograd" not in fields.get("traits", ()) else None
    return Subject(
        forward=compiled.forward,
        vjp=compiled.vjp,
        inputs=declared,
        second=compiled.second if twice else None,
        second_offered=True,
        later=later,
        **fields,
    )


class _Compiled:
    """forward and vjp of `run`, jitted where they can be: eager ones compile every operation."""

    def __init__(self, run: Callable[[Mapping[str, Any]], Any], names: list[str]) -> None:
        jax = require_jax()
        self.run, self.names = run, names
        self.constants: dict[str, Any] = {}
        self.traced = True
        self.jitted = {
            "forward": jax.jit(self._forward),
            "vjp": jax.jit(self._vjp),
            "second": jax.jit(self._second),
        }

    def forward(self, /, **inputs: Any) -> Any:
        with x64():
            returned = self._call("forward", self._arrays(inputs))
            bare = not isinstance(returned, tuple)
            return _to_numpy(returned) if bare else tuple(map(_to_numpy, returned))

    def vjp(self, cotangent: Any, /, **inputs: Any) -> dict[str, Any]:
        cotangents = cotangent if isinstance(cotangent, tuple) else (cotangent,)
        with x64():
            arrays = self._arrays(inputs)
            given = tuple(_as_jax(u) for u in cotangents)
            found = self._call("vjp", arrays, given)
            return {name: _to_numpy(found[name]) for name in self.names}

    def later(
        self, cotangent: Any, others: Sequence[Mapping[str, Any]], /, **inputs: Any
    ) -> dict[str, Any]:
        """Gradients of a vjp closure that waits while others are made at other points.

        All rules are traced anew, so that they run in this order; where they keep a value outside
        of JAX, or look at one, they run eagerly.
        """
        cotangents = cotangent if isinstance(cotangent, tuple) else (cotangent,)
        with x64():
            given = tuple(_as_jax(u) for u in cotangents)
            first, *rest = (self._arrays(point) for point in (inputs, *others))
            found = self._traced_later(first, rest, given) if self.traced else None
            if found is None:
                self.traced = False
                outputs, pull = self._linearised(first, given)
                held = [self._linearised(arrays, given) for arrays in rest]
                found = self._pulled(outputs, pull, given)
                del held
            return {name: _to_numpy(found[name]) for name in self.names}

    def _traced_later(self, first: Any, rest: list[Any], given: tuple[Any, ...]) -> Any:
        """The same from two programs, where an eager one compiles every operation; or None."""
        jax = require_jax()

        def linearised(arrays: Mapping[str, Any]) -> Any:
            return self._linearised(arrays, given)

        try:
            outputs, pull = jax.jit(linearised)(first)
            # Of the others nothing is wanted but that their Python ran: no program is made.
            programs = [jax.make_jaxpr(partial(linearised))(arrays) for arrays in rest]
            if any("callback" in str(program) for program in programs):
                return None
            return jax.jit(lambda out, back: self._pulled(out, back, given))(outputs, pull)
        except (*_untraceable(), jax.errors.UnexpectedTracerError, TypeError):
            return None

    def second(
        self, directions: Mapping[str, Any], cotangent: Any, /, **inputs: Any
    ) -> tuple[dict[str, Any], Any]:
        """Gradients of <directions, vjp(cotangent)>: by input name, and of the cotangent.

        The vjp through jax.vjp once more. Raises what JAX does where it has no second derivative.
        """
        bare = not isinstance(cotangent, tuple)
        with x64():
            arrays = self._arrays(inputs)
            given = tuple(_as_jax(u) for u in ((cotangent,) if bare else cotangent))
            found, us = self._call("second", arrays, given, to_jax(directions))
            by_input = {name: _to_numpy(found[name]) for name in self.names}
            whole = tuple(None if u is None else _to_numpy(u) for u in us)
            return by_input, whole[0] if bare else whole

    def _call(self, which: str, *args: Any) -> Any:
        eager = getattr(self, f"_{which}")
        try:
            return self.jitted.get(which, eager)(*args)
        except _untraceable():
            # Python code that looks at values cannot be jitted; it runs eagerly from now on.
            self.jitted.pop(which, None)
            return eager(*args)

    def _arrays(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        arrays = {name: _as_jax(v) for name, v in inputs.items() if isinstance(v, np.ndarray)}
        self.constants = {name: v for name, v in inputs.items() if name not in arrays}
        return arrays

    def _forward(self, arrays: Mapping[str, Any]) -> Any:
        return nested.outputs(self.run({**self.constants, **arrays}))

    def _vjp(self, arrays: Mapping[str, Any], cotangents: tuple[Any, ...]) -> Any:
        outputs, pull = self._linearised(arrays, cotangents)
        return self._pulled(outputs, pull, cotangents)

    def _linearised(self, arrays: Mapping[str, Any], cotangents: tuple[Any, ...]) -> Any:
        """jax.vjp of the outputs that have a cotangent: their values, and the closure."""

        def function(moving: Mapping[str, Any]) -> list[Any]:
            returned = self._forward({**arrays, **moving})
            outputs = returned if isinstance(returned, tuple) else (returned,)
            return [out for out, u in zip(outputs, cotangents, strict=True) if u is not None]

        return require_jax().vjp(function, {name: arrays[name] for name in self.names})

    def _pulled(self, outputs: list[Any], pull: Any, cotangents: tuple[Any, ...]) -> Any:
        jnp = require_jax().numpy
        # JAX transposes without conjugating; here <a, b> = Re sum conj(a) b, as in torch.
        given = [jnp.conj(u) for u in cotangents if u is not None]
        (found,) = pull([u.astype(out.dtype) for u, out in zip(given, outputs, strict=True)])
        return {name: jnp.conj(found[name]) for name in self.names}

    def _second(
        self, arrays: Mapping[str, Any], cotangents: tuple[Any, ...], directions: Mapping[str, Any]
    ) -> tuple[dict[str, Any], tuple[Any, ...]]:
        jax = require_jax()
        jnp = jax.numpy

        def function(moving: Mapping[str, Any], us: tuple[Any, ...]) -> Any:
            return self._vjp({**arrays, **moving}, us)

        moving = {name: arrays[name] for name in self.names}
        gradients, pull = jax.vjp(function, moving, cotangents)
        found, us = pull({n: jnp.conj(directions[n]).astype(g.dtype) for n, g in gradients.items()})
        by_input = {name: jnp.conj(found[name]) for name in self.names}
        return by_input, tuple(None if u is None else jnp.conj(u) for u in us)


def _untraceable() -> tuple[type[Exception], ...]:
    """What JAX raises where Python code looks at values that a compiler does not have."""
    errors = require_jax().errors
    return errors.ConcretizationTypeError, errors.TracerArrayConversionError


def x64() -> Any:
    """A context in which JAX keeps float64."""
    jax = require_jax()
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64

    return enable_x64()


def _as_jax(value: Any) -> Any:
    return require_jax().numpy.asarray(value) if isinstance(value, np.ndarray) else value


def to_jax(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """NumPy arrays as JAX arrays; other values as they are."""
    return {name: _as_jax(value) for name, value in inputs.items()}


def _to_numpy(value: Any) -> Any:
    return np.array(value) if hasattr(value, "shape") else value


def _found(obj: Any, takes: Any, name: str) -> dict[str, Any]:
    names = [n for n in takes.names if n in takes.required] or list(takes.positional[:1])

    def accepts(shape: tuple[int, ...]) -> bool:
        values = probing.numbers({n: array(shape) for n in names}, {}, seed=3)
        with x64():
            return probing.gives_array(obj, *to_jax(values).values())

    found = probing.find_shape(accepts, ()) if names else None
    if found is None:
        example = ", ".join(f'"{n}": "batch features"' for n in names or ["x"])
        raise UsageError(f"{name}: no shape it takes was found: give inputs={{{example}}}")
    return dict.fromkeys(names, found)
