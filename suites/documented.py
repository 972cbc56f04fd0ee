"""Subjects of the documented layers and losses: options bound, source named, twin if torch is."""

from functools import partial
from operator import attrgetter

from gradcheck import Subject
from suites.building import HAS_TORCH, torch


def documented(name, module, inputs, *, source, twin, kinks="subgradient", options=None, **facts):
    """The Subject of a module with `forward` and `vjp` under these options.

    `module` may also be a pair (forward, vjp). Without torch there is no twin, and a subject that
    follows its twin at kinks may return any generalised gradient there.
    """
    if not HAS_TORCH:
        twin, kinks = None, "subgradient" if kinks == "twin" else kinks
    forward, vjp = module if isinstance(module, tuple) else (module.forward, module.vjp)
    if options:
        forward, vjp = partial(forward, **options), partial(vjp, **options)
    return Subject(
        name,
        forward,
        vjp,
        inputs,
        twin=twin,
        kinks=kinks,
        source=source,
        **facts,
    )


def in_torch(name):
    """The function of torch with this dotted name, imported when it is first called."""

    def call(*args, **kwargs):
        return attrgetter(name)(torch)(*args, **kwargs)

    return call
