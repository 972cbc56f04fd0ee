"""`check`: the one call."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from gradcheck.adapters import adapt
from gradcheck.adapters.torch_packed import is_packed
from gradcheck.checks import select
from gradcheck.devices import require_device
from gradcheck.errors import UsageError
from gradcheck.findings import Report
from gradcheck.profiles import DEFAULT, profile
from gradcheck.reproduce import attach_scripts
from gradcheck.runner import Plan, verify
from gradcheck.subject import Subject

DTYPES = ("float64", "float32", "float16", "bfloat16", "complex128")


def check(
    obj: Any,
    inputs: Mapping[str, Any] | None = None,
    *,
    at: Mapping[str, Any] | None = None,
    cotangent: Any = None,
    examples: int | None = None,
    seconds: float | None = None,
    seed: int | None = None,
    dtype: str = "float64",
    device: str = "cpu",
    checks: Iterable[str] | None = None,
    **options: Any,
) -> Report:
    """Verify the gradient of `obj` and return a Report; never raises because it is wrong.

    obj: a Subject, or anything an adapter knows (an object with forward and backward, a
    torch.nn.Module, a torch.autograd.Function, ...), or a factory of one that takes dims by name.
    inputs: name to shape string or input declaration; adapters find the parameters themselves.
    at: verify at these very arrays only; cotangent: with this very cotangent.
    examples: how many points are tried (30). seconds: a budget; what was not done is said.
    seed: repeats a run. dtype, device: where the subject runs. checks: names of the laws to run.
    Other options are those of Subject (kinks, traits, dims, where, twin, name) and of adapters.

    Raises UsageError where an argument cannot be used, or forward raises at every example.
    """
    __tracebackhide__ = True
    _validate(examples, seconds, seed, dtype)
    require_device(device)
    if at is not None and inputs is None and not isinstance(obj, Subject):
        inputs = {name: _shape_of(value) for name, value in at.items()}
    subject = adapt(obj, inputs, **options)
    plan = Plan(
        examples=examples if examples is not None else profile(DEFAULT).examples,
        seed=secrets.randbelow(2**31) if seed is None else seed,
        seconds=seconds,
        shrink_seconds=profile(DEFAULT).shrink_seconds,
        dtype=dtype,
        device=device,
        at=at,
        cotangent=cotangent,
    )
    report = verify(subject, select(checks), plan)
    return attach_scripts(report, subject, obj, inputs, options)


def _validate(examples: Any, seconds: Any, seed: Any, dtype: Any) -> None:
    if examples is not None and (not isinstance(examples, int) or examples < 1):
        raise UsageError(f"check: examples={examples!r}, expected a positive integer")
    if seconds is not None and not (isinstance(seconds, int | float) and seconds > 0):
        raise UsageError(f"check: seconds={seconds!r}, expected a positive number")
    if seed is not None and (not hasattr(seed, "__index__") or seed < 0):
        raise UsageError(f"check: seed={seed!r}, expected an integer, 0 or above")
    if dtype not in DTYPES:
        raise UsageError(f"check: dtype={dtype!r}, expected one of {', '.join(DTYPES)}")


def _shape_of(value: Any) -> Any:
    if is_packed(value):
        return value  # its lengths belong to the declaration
    shape = getattr(value, "shape", ())
    return " ".join(map(str, shape))
