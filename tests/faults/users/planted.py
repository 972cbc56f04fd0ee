"""Mistakes planted in the layers that users plug in, each beside its correct twin."""

from collections.abc import Callable
from dataclasses import dataclass

from gradcheck import Subject


@dataclass(frozen=True)
class Fault:
    """A mistake: `wrong` must fail with a finding on `input`, `right` must pass.

    words: what the sentence or the fault's name must say; None where the catalogue of faults has
    no name for the mistake, and being caught at the right input is all that is asked.
    """

    id: str
    wrong: Subject
    right: Subject
    input: str
    words: tuple[str, ...] | None


class Planter:
    """Plants mistakes in the subjects of one suite."""

    def __init__(self, subjects):
        self.subjects = {subject.name: subject for subject in subjects}

    def __call__(
        self,
        id: str,
        right: str,
        input: str,
        vjp: Callable,
        *words: str,
        keep_twin: bool = False,
    ) -> Fault:
        """The subject named `right` with another vjp(right, cotangent, **inputs).

        What that returns replaces the right gradients of the same names. The twin goes, so that
        the numerical derivative alone must find the mistake, unless the mistake is a convention
        that only the twin declares.
        """
        correct = self.subjects[right]

        def planted(cotangent, **inputs):
            gradients = dict(correct.vjp(cotangent, **inputs))
            return gradients | vjp(correct, cotangent, **inputs)

        twin = correct.twin if keep_twin else None
        kinks = "subgradient" if correct.kinks == "twin" and not keep_twin else correct.kinks
        wrong = correct.but(name=id, vjp=planted, twin=twin, kinks=kinks)
        return Fault(id, wrong, correct, input, words or None)
