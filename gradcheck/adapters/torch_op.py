"""Custom operators of torch.library: the gradient is the one registered, opcheck is run too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradcheck.adapters import probing
from gradcheck.adapters.recipes import recipe_of
from gradcheck.adapters.signatures import Arguments, call
from gradcheck.adapters.torch_autograd import (
    Autograd,
    loaded_torch,
    random_state,
    require_torch,
    tensors,
)
from gradcheck.adapters.torch_tensors import subject_of
from gradcheck.errors import UsageError
from gradcheck.subject import Subject

NAME = "a custom operator of torch.library"
OPTIONS = frozenset(("opcheck",))

# Parts of opcheck about the operator in eager mode: an operator that fails one is broken. What the
# others say is about torch.compile, and a remark.
EAGER = ("test_schema", "test_autograd_registration")
PARTS = (*EAGER, "test_faketensor")


def knows(obj: Any) -> bool:
    torch = loaded_torch()
    if torch is None:
        return False
    kinds = (torch._ops.OpOverload, torch._ops.OpOverloadPacket)
    return isinstance(obj, kinds) or type(obj).__name__ == "CustomOpDef"


def adapt(obj: Any, inputs: Mapping[str, Any] | None = None, opcheck: Any = PARTS) -> Subject:
    """A Subject of an operator. inputs: by the names of its schema, or in their order.

    opcheck: which parts of torch.library.opcheck are run (names, or False for none).
    """
    overload = _overload(obj)
    names = tuple(argument.name for argument in overload._schema.arguments)
    required = [a.name for a in overload._schema.arguments if not a.has_default_value()]
    keyword = frozenset(a.name for a in overload._schema.arguments if a.kwarg_only)
    takes = Arguments(names, frozenset(required), keyword, more=False)
    subject = subject_of(
        lambda values: call(obj, takes, values),
        takes,
        inputs,
        name=str(overload._schema.name).replace("::", "."),
        kinks="subgradient",
        recipe=recipe_of(obj),
        claim=Autograd,
    )
    failed = _opcheck(overload, subject, opcheck) if opcheck else {}
    subject = subject.but(remarks=(*subject.remarks, *failed.values()))
    broken = [said for part, said in failed.items() if part in EAGER]
    if not broken:
        return subject

    def vjp(cotangent: Any, /, **values: Any) -> Any:
        raise RuntimeError(broken[0])

    return subject.but(vjp=vjp)


def _overload(obj: Any) -> Any:
    """The one overload of an operator. Raises UsageError where there are several."""
    torch = require_torch()
    if isinstance(obj, torch._ops.OpOverload):
        return obj
    if type(obj).__name__ == "CustomOpDef":
        return obj._opoverload
    overloads = obj.overloads()
    if len(overloads) != 1:
        raise UsageError(f"{obj} has the overloads {', '.join(overloads)}: name one of them")
    return getattr(obj, overloads[0])


def _opcheck(overload: Any, subject: Subject, parts: Any) -> dict[str, str]:
    """What opcheck has against the operator at small generic inputs, by part."""
    torch = require_torch()
    names = probing.names_of(subject.inputs)
    sizes = probing.first_sizes(names, subject.dims or {}, 3)
    if not probing.fits(subject.inputs, sizes):
        return {}
    values = tensors(probing.numbers(subject.inputs, sizes))
    for name in subject.differentiable:
        values[name].requires_grad_()
    with random_state({}):
        results = torch.library.opcheck(
            overload,
            tuple(values.values()),
            test_utils=(parts,) if isinstance(parts, str) else tuple(parts),
            raise_exception=False,
        )
    return {
        part: f"torch.library.opcheck, {part}: {_line(str(result))}"
        for part, result in results.items()
        if result != "SUCCESS"
    }


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
