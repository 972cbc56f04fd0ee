"""Plain functions: on torch tensors, on JAX arrays, or factories of something an adapter knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gradcheck.adapters import factory, jax, nested, probing, pullback, torch_tensors
from gradcheck.adapters.recipes import recipe_of
from gradcheck.adapters.signatures import arguments
from gradcheck.adapters.source import refers_to
from gradcheck.adapters.torch_autograd import (
    loaded_torch,
    random_state,
    require_torch,
    tensors,
)
from gradcheck.errors import UsageError
from gradcheck.subject import Subject

NAME = (
    "a function on torch tensors or JAX arrays, one that returns a value and its pullback, "
    "or one that makes a layer"
)
OPTIONS = None  # a factory passes them on to what it makes
FRAMEWORKS = ("torch", "jax")


def knows(obj: Any) -> bool:
    return callable(obj)


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, **options: Any) -> Subject:
    """A Subject of a function whose gradient is its framework's, or of what a factory makes.

    framework: "torch" or "jax", where it is not plain from the function's code.
    Raises UsageError for a NumPy function, which has no gradient of its own.
    """
    from gradcheck.adapters import finish

    framework = options.pop("framework", None)
    if framework is not None and framework not in FRAMEWORKS:
        raise UsageError(f"framework={framework!r}, expected 'torch' or 'jax'")
    if framework is None and factory.makes_layers(obj, inputs):
        return factory.adapt(obj, inputs, **options)
    if framework is None:
        own = pullback.found(obj) if inputs is None else inputs
        if own is not None and pullback.returns_one(obj, own):
            return finish(pullback.adapt(obj, own), options, frozenset(), pullback.KIND)
    framework = framework or _framework(obj, inputs)
    if framework == "jax":
        return finish(jax.adapt(obj, inputs), options, frozenset(), jax.NAME)
    require_torch()
    subject = torch_tensors.from_function(obj, inputs, recipe_of(obj))
    return finish(subject, options, frozenset(), "a function on torch tensors")


def _framework(obj: Any, inputs: Mapping[str, Any] | None) -> str:
    if jax.refers(obj):
        return "jax"
    torch = loaded_torch()
    if torch is not None and (_is_of_torch(obj) or refers_to(obj, "torch")):
        return "torch"
    if torch is not None and _differentiates(obj, inputs):
        return "torch"
    name = getattr(obj, "__name__", type(obj).__name__)
    raise UsageError(
        f"{name} is a function without a gradient: give one as check((fun, jac), inputs) or as a "
        "Subject, or say framework='torch' or 'jax' where its autograd is the gradient"
    )


def _is_of_torch(obj: Any) -> bool:
    homes = (getattr(obj, "__module__", None), type(obj).__module__)
    return any(str(home).split(".")[0] == "torch" for home in homes)


def _differentiates(obj: Any, inputs: Mapping[str, Any] | None) -> bool:
    """Whether it takes tensors that require a gradient and returns one that has it."""
    for given in _trials(obj, inputs):
        made: list[Any] = []
        with random_state({}):
            ran = probing.succeeds(lambda m=made, g=given: m.append(obj(*g)))
        if ran and any(getattr(leaf, "requires_grad", False) for leaf in nested.leaves(made[0])):
            return True
    return False


def _trials(obj: Any, inputs: Mapping[str, Any] | None) -> Iterator[list[Any]]:
    """Arguments to try: ones of common shapes, or small numbers of what is declared."""
    torch = require_torch()
    if inputs is None:
        for shape in ((7, 8), (7,), ()):
            count = len(arguments(obj).required) or 1
            yield [torch.ones(shape, dtype=torch.float64, requires_grad=True) for _ in range(count)]
        return
    declared, build = nested.declare(inputs, getattr(obj, "__name__", ""))
    for size in (3, 1):
        sizes = dict.fromkeys(probing.names_of(declared), size)
        if probing.fits(declared, sizes):
            values = tensors(probing.numbers(declared, sizes))
            for name, item in declared.items():
                if item.differentiable:
                    values[name].requires_grad_()
            yield list(build(values).values())
