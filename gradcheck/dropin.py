"""`gradcheck.gradcheck(fn, inputs)`: in place of torch.autograd.gradcheck, with the same call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcheck.errors import UsageError

# Arguments of torch's function that have no meaning here: there is no step and no tolerance to
# tune, and every law they switch on or off is checked anyway.
ACCEPTED = frozenset(
    (
        "eps", "atol", "rtol", "nondet_tol", "check_undefined_grad", "check_grad_dtypes",
        "check_batched_grad", "check_batched_forward_grad", "check_forward_ad",
        "check_backward_ad", "check_sparse_nnz", "fast_mode", "masked",
    )
)  # fmt: skip


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    raise_exception: bool = True,
    seed: int | None = None,
    **accepted: Any,
) -> bool:
    """Whether the gradient of `func` at these very inputs is right.

    func: a function of tensors. inputs: a tensor or a sequence of tensors and other values; those
    that require a gradient are verified. raise_exception: raise GradientError with the diagnosis
    rather than return False. Tolerances, steps and modes of torch.autograd.gradcheck are accepted
    and not used. Raises UsageError for any other argument, and where nothing requires a gradient.
    For generated shapes and values use `gradcheck.check`.
    """
    __tracebackhide__ = True
    from gradcheck.adapters.torch_autograd import require_torch
    from gradcheck.adapters.torch_tensors import subject_of
    from gradcheck.api import check

    unknown = sorted(accepted.keys() - ACCEPTED)
    if unknown:
        raise UsageError(f"gradcheck: unknown argument {unknown[0]!r}")
    torch = require_torch()
    given: Sequence[Any] = (inputs,) if isinstance(inputs, torch.Tensor) else tuple(inputs)
    values = {f"input{k}": value for k, value in enumerate(given)}
    takes = _positions(values)
    subject = subject_of(
        lambda own: func(*(own[name] for name in values)),
        takes,
        {name: _declared(torch, value) for name, value in values.items()},
        name=str(getattr(func, "__name__", type(func).__name__)),
        kinks="autodiff",
    )
    report = check(subject, at=values, dtype=_dtype(torch, given), seed=seed)
    if raise_exception:
        report.raise_if_failed()
    return report.passed


def _positions(values: dict[str, Any]) -> Any:
    from gradcheck.adapters.signatures import Arguments

    return Arguments(tuple(values), frozenset(values), more=False)


def _declared(torch: Any, value: Any) -> Any:
    from gradcheck.inputs import array, constant

    if not isinstance(value, torch.Tensor) or not (value.is_floating_point() or value.is_complex()):
        return constant(value)
    shape = " ".join(map(str, value.shape))
    return array(shape, complex=value.is_complex(), differentiable=value.requires_grad)


def _dtype(torch: Any, values: Sequence[Any]) -> str:
    moving = [v for v in values if isinstance(v, torch.Tensor) and v.requires_grad]
    if not moving:
        raise UsageError("gradcheck: no input requires a gradient")
    name = str(moving[0].dtype).removeprefix("torch.")
    return {"complex128": "float64", "complex64": "float32"}.get(name, name)
