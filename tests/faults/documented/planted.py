"""A fault of the documents, planted in a correct subject of the suites."""

from dataclasses import dataclass

from gradcheck import Subject


@dataclass(frozen=True)
class Planted:
    """A fault by name, wrong and right subject, and words of the finding that names it."""

    name: str
    wrong: Subject
    right: Subject
    words: tuple[str, ...]


def subject(subjects, name):
    """The subject of a suite by its name."""
    return next(one for one in subjects if one.name == name)


def plant(name, right, words, *, vjp=None, forward=None, twin=None):
    """The fault in place of the right subject's vjp or forward; without its twin, unless given.

    vjp(right, cotangent, **inputs) is given the right subject to spoil its gradients. Without the
    twin nothing declares a convention that is the twin's.
    """
    kinks = "subgradient" if right.kinks == "twin" and twin is None else right.kinks
    changes = {"name": name, "twin": twin, "kinks": kinks}
    if vjp is not None:
        changes["vjp"] = lambda cotangent, **inputs: vjp(right, cotangent, **inputs)
    if forward is not None:
        changes["forward"] = forward
    return Planted(name, right.but(**changes), right, words)


def spoil(**spoilers):
    """A vjp that passes single gradients of the right one through a function each."""

    def vjp(right, cotangent, **inputs):
        gradients = dict(right.vjp(cotangent, **inputs))
        for name, spoiler in spoilers.items():
            gradients[name] = spoiler(gradients[name])
        return gradients

    return vjp
