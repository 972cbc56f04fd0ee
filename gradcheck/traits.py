"""Facts about a subject that choose its checks: one line a trait."""

from __future__ import annotations

from collections.abc import Iterable

from gradcheck.errors import UsageError

TRAITS: dict[str, str] = {
    "stochastic": "draws random numbers: random state is reset before every evaluation",
    "linear": "linear in its differentiable inputs taken together",
    "elementwise": "each output element depends on the input element of its own index",
    "batched": "the first axis of the inputs named `batch` is a batch of independent samples",
    "permutation": "reordering the batch reorders the outputs and nothing else",
    "stateful": "keeps state between calls on purpose; repeated calls may differ",
    "autograd": "the VJP is a framework's own autograd",
    "inplace": "the backward updates parameters in place",
    "twice differentiable": "its VJP can be differentiated again, and a wrong one is a finding",
    "slow": "one evaluation takes seconds: fewer examples are tried",
}


def as_traits(given: Iterable[str], owner: str) -> frozenset[str]:
    """The traits as a set; an unknown one is an error that lists the known ones."""
    if isinstance(given, str):
        given = (given,)
    traits = frozenset(given)
    unknown = sorted(traits - TRAITS.keys())
    if unknown:
        raise UsageError(f"{owner}: unknown trait {unknown[0]!r}; known: {', '.join(TRAITS)}")
    return traits
