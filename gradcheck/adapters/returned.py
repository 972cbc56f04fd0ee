"""What a backward returned, laid at the arguments and parameters it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from gradcheck.adapters import nested
from gradcheck.adapters.slots import in_mapping, mirrored


class Leaf(str):
    """The name of an input, at its place in the containers that forward takes."""


def in_order(returned: Any) -> list[Any]:
    """The gradients in what backward returned, in order; none where it returned None."""
    if returned is None or isinstance(returned, Mapping):
        return []
    if not isinstance(returned, tuple | list):
        return [returned]
    return list(nested.leaves([r for r in returned if not isinstance(r, Mapping)]))


def assign(
    returned: Any,
    trees: Sequence[Any],
    wanted: AbstractSet[str],
    used: Sequence[str],
    values: Mapping[str, Any],
) -> dict[str, Any]:
    """Gradients by name, of the arguments in `trees` and then of the parameters `used`.

    Either one for each argument, in its own containers, with None (or an array of its shape) where
    one gets no gradient; or one for each input in `wanted`. Raises TypeError where there are more.
    """
    if isinstance(returned, Mapping):
        of = {name: mirrored(returned, name.split(".")) for name in sorted(wanted)}
        return {name: gradient for name, gradient in of.items() if gradient is not None}
    parts = list(returned) if isinstance(returned, tuple | list) else [returned]
    if by_argument(parts, trees, wanted, values, bool(used)):
        found: dict[str, Any] = {}
        for tree, part in zip(trees, parts, strict=False):
            _spread(tree, part, found)
        rest = in_order(parts[len(trees) :])
    else:
        found, rest = {}, in_order(returned)
        for name in [n for tree in trees for n in nested.leaves(tree) if n in wanted]:
            if rest:
                found[name] = rest.pop(0)
    while len(rest) > len(used) and rest[-1] is None:  # of an optional argument left out
        rest.pop()
    if len(rest) > len(used):
        raise TypeError(
            f"backward returned {len(in_order(returned))} arrays for "
            f"{len(wanted) + len(used)} inputs: {', '.join([*sorted(wanted), *used])}"
        )
    named = {n: g for n, g in found.items() if n in wanted}
    return {**named, **dict(zip(used, rest, strict=False))}


def by_argument(
    parts: Sequence[Any],
    trees: Sequence[Any],
    wanted: AbstractSet[str],
    values: Mapping[str, Any],
    more: bool,
) -> bool:
    """Whether what was returned is one part for each argument, those without gradient too.

    more: gradients of parameters may follow; a number can then be any of them.
    """
    if len(parts) < len(trees) or len(trees) == 0:
        return False
    pairs = list(zip(trees, parts, strict=False))
    return all(_mirrors(tree, part, wanted, values, more) for tree, part in pairs)


def _mirrors(
    tree: Any, part: Any, wanted: AbstractSet[str], values: Mapping[str, Any], more: bool
) -> bool:
    if isinstance(tree, Leaf):
        if isinstance(part, Mapping | tuple | list):
            return False
        if tree in wanted or part is None:
            return True
        return np.shape(part) == np.shape(values[tree]) and not (more and np.ndim(part) == 0)
    if isinstance(tree, Mapping):
        return part is None or isinstance(part, Mapping)
    fits = isinstance(part, tuple | list) and len(part) == len(tree)
    return part is None or (fits and len(tree) > 0)


def _spread(tree: Any, part: Any, found: dict[str, Any]) -> None:
    """Lay a part at the leaves of its argument."""
    if part is None:
        return
    if isinstance(tree, Leaf):
        found[tree] = part
    elif isinstance(tree, Mapping):
        for key, member in tree.items():
            _spread(member, in_mapping(part, str(key)), found)
    elif isinstance(part, tuple | list):
        for member, own in zip(tree, part, strict=False):
            _spread(member, own, found)
