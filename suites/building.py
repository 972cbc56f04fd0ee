"""Subjects from modules of `reference`, and the torch names that their twins are written with."""

import importlib
import importlib.util

import numpy as np

from gradcheck import Subject

BATCHED = ("batched", "permutation")  # the samples of a batch do not see each other
HAS_TORCH = importlib.util.find_spec("torch") is not None


class Lazy:
    """A module that is imported when the first of its names is used."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        return getattr(importlib.import_module(self._name), attribute)


torch = Lazy("torch")
F = Lazy("torch.nn.functional")


def torch_function(path, names=None, **fixed):
    """A twin: torch's function of that dotted path, imported when first called.

    Arrays go in by position, in the order of the subject's inputs; constants by name, under
    torch's own names for them where `names` says so.
    """

    def twin(**inputs):
        function = importlib.import_module("torch")
        for part in path.split("."):
            function = getattr(function, part)
        arrays = [value for value in inputs.values() if torch.is_tensor(value)]
        options = {k: v for k, v in inputs.items() if not torch.is_tensor(v)}
        renamed = {(names or {}).get(name, name): value for name, value in options.items()}
        return function(*arrays, **renamed, **fixed)

    return twin


def subject(module, inputs, *, name=None, twin=None, kinks="subgradient", **options):
    """The Subject of a module with `forward` and `vjp`, its source read from the docstring.

    Without torch there is no twin, and a subject that follows its twin at kinks may return any
    generalised gradient there.
    """
    if not HAS_TORCH:
        twin, kinks = None, "subgradient" if kinks == "twin" else kinks
    return Subject(
        name or module.__name__.rpartition(".")[2],
        module.forward,
        module.vjp,
        inputs,
        twin=twin,
        kinks=kinks,
        source=source_of(module),
        **options,
    )


def source_of(module):
    """What stands under the heading `Source` in the module's docstring, in one line."""
    _, found, rest = module.__doc__.partition("\nSource\n")
    if not found:
        raise ValueError(f"the docstring of {module.__name__} has no heading `Source`")
    return " ".join(rest.partition("\n\n")[0].split())


def points(*special, spread=2.0):
    """For `array(values=...)`: normal numbers, half of them replaced by these very points."""

    def values(rng, shape):
        numbers = spread * rng.standard_normal(shape)
        return np.where(rng.random(shape) < 0.5, rng.choice(special, shape), numbers)

    return values
