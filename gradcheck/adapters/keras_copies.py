"""Float64 copies of Keras layers: from configurations, or member by member where there is none."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from gradcheck.adapters import jax
from gradcheck.errors import UsageError
from gradcheck.evaluation import describe


def copy_of(obj: Any) -> Any:
    """A float64 copy. Raises UsageError where none can be made."""
    keras = sys.modules["keras"]
    if isinstance(obj, keras.Sequential) and not obj.built:
        return _from_configuration(obj)
    if isinstance(obj, keras.Sequential) or type(obj).__name__ == "Functional":
        # Its inputs are cast to what they were made for; sublayers may hold code of the user's.
        given = obj.inputs[0] if isinstance(obj, keras.Sequential) else obj.input
        tensors = keras.tree.map_structure(_as_float64, given)
        return keras.models.clone_model(obj, input_tensors=tensors, clone_function=copy_of)
    return _from_configuration(obj)


def _from_configuration(obj: Any) -> Any:
    keras = sys.modules["keras"]
    try:
        with keras.saving.custom_object_scope(_custom(obj)):
            made = type(obj).from_config({**obj.get_config(), **_functions(obj)})
    except Exception:  # noqa: BLE001 - a layer of the user's need not be serialisable
        made = _by_members(obj)
    for part in made._flatten_layers():
        part.dtype_policy = "float64"
    for variable in made.variables:
        if variable.dtype == "float32":
            _widen(variable)
    return made


def _as_float64(tensor: Any) -> Any:
    """An input of the same shape for a copy of a model."""
    dtype = "float64" if "float" in tensor.dtype else tensor.dtype
    return sys.modules["keras"].Input(batch_shape=tensor.shape, dtype=dtype)


def _functions(obj: Any) -> dict[str, Any]:
    """Functions that a configuration only names, such as an activation of the user's."""
    own = {name: getattr(obj, name, None) for name in obj.get_config()}
    layer = sys.modules["keras"].layers.Layer
    return {n: f for n, f in own.items() if callable(f) and not isinstance(f, layer | type)}


def _custom(obj: Any) -> dict[str, type]:
    """Classes of a layer's parts, by the names that configurations have for them."""
    return {type(part).__name__: type(part) for part in obj._flatten_layers()}


def _by_members(obj: Any) -> Any:
    """A deep copy of a layer and its parts, where that of Keras goes through a file."""
    tracking = importlib.import_module("keras.src.utils.tracking")
    try:
        with tracking.DotNotTrackScope():  # lists that keep account would do so twice
            return _with_members(obj)
    except Exception as error:
        raise UsageError(
            f"{type(obj).__name__}: no copy of it can be made ({describe(error)}): "
            "give it get_config and from_config, or a function that makes it"
        ) from error


def _with_members(obj: Any) -> Any:
    parts: list[Any] = list(obj._flatten_layers())
    kinds: dict[int, Any] = {id(part): type(part) for part in parts}
    # Made anew, for each has a `build` and a `quantize` that are closed over itself.
    made = {key: kind.__new__(kind) for key, kind in kinds.items()}
    memo = {**{id(module): module for module in list(sys.modules.values())}, **made}
    for part in parts:
        members = vars(made[id(part)])
        bound = {name for name, value in members.items() if callable(value)}
        own = {name: value for name, value in vars(part).items() if name not in bound}
        members |= {name: copy.deepcopy(value, memo) for name, value in own.items()}
        tracker = members["_tracker"]
        tracker.stored_ids = {n: set(map(id, store)) for n, (_, store) in tracker.config.items()}
    return made[id(obj)]


def _widen(variable: Any) -> None:
    """A variable made before its layer was told to compute in float64."""
    variable._dtype = "float64"
    with full_precision():
        value = sys.modules["keras"].ops.cast(variable._value, "float64")
        if sys.modules["keras"].backend.backend() == "jax":
            variable._value = value
        else:
            variable._initialize(value.detach())


@contextmanager
def full_precision() -> Iterator[None]:
    """Keep float64 in float64: Keras's promotion rules make float32 of it, as JAX's do."""
    on_jax = sys.modules["keras"].backend.backend() == "jax"
    with jax.x64() if on_jax else nullcontext():
        yield from _unnarrowed()


def _unnarrowed() -> Iterator[None]:
    rules = getattr(
        sys.modules.get("keras.src.backend.common.dtypes"), "BIT64_TO_BIT32_DTYPE", None
    )
    if not isinstance(rules, dict) or "float64" not in rules:
        yield
        return
    narrowed = rules.pop("float64")
    try:
        yield
    finally:
        rules["float64"] = narrowed
