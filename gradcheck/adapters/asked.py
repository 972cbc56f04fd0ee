"""What a backward asks for, told by the names of its arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.adapters import in_place
from gradcheck.adapters.signatures import Arguments, arguments

# An argument that is a cotangent rather than a point.
COTANGENTS = frozenset(
    ("cotangent", "cotangents", "dout", "dy", "dz", "da", "grad", "gradient", "upstream", "delta",
     "grad_output", "output_grad", "output_gradient", "dout_", "g", "gy", "grad_out", "dl_dy",
     "dnext_h", "dnext_c", "dh", "d_out", "dloss")
)  # fmt: skip
# That which forward returned for it, behind the outputs.
CACHES = frozenset(
    ("cache", "caches", "ctx", "context", "saved", "saved_tensors", "residual", "residuals", "res",
     "state", "memory", "intermediates", "store", "tape", "meta")
)  # fmt: skip
_WORDS = ("data", "dim", "dims", "drop", "dict", "dist")
# What forward returned.
OUTPUTS = frozenset(("y", "out", "output", "outputs", "result"))


def looks_like_cotangent(name: str) -> bool:
    """Whether a name is that of a gradient: grad_output, d_sine, dY, dnew, ..."""
    if name.lower() in COTANGENTS or re.match(r"d_|d[A-Z]|grad|delta|g_", name):
        return True
    return bool(re.fullmatch(r"d[a-z]{1,3}\d*", name)) and name not in _WORDS


class Asked:
    """The arguments of a backward, beside those of its forward, `takes`."""

    def __init__(self, backward: Callable[..., Any], takes: Arguments) -> None:
        self.back, self.takes = arguments(backward), takes
        names = self.back.names
        # The first argument, unless another one has a cotangent's name.
        named = (n for n in names if n.lower() in COTANGENTS and n not in takes.names)
        self.cotangent = next(named, names[0] if names else "*0")
        self.caches = [n for n in names if n.lower() in CACHES and n not in takes.names]
        # Whatever comes last beside cotangents that are called so is what forward kept.
        last = self.back.positional[-1:]
        if looks_like_cotangent(self.cotangent) and not self.caches:
            others = [n for n in last if n in self.back.required and not self._is_given(n)]
            self.caches = [n for n in others if not looks_like_cotangent(n)]
        # The cotangents of further outputs, in order.
        self.more = [
            name
            for name in self.back.positional
            if name in self.back.required and name != self.cotangent and not self._is_given(name)
        ]

    def _is_given(self, name: str) -> bool:
        own = name in self.takes.names or name in self.caches or name in in_place.RATES
        return own or name.lower() in OUTPUTS

    @property
    def rate(self) -> bool:
        """Whether it takes a learning rate."""
        return any(name in in_place.RATES for name in self.back.names)

    def without_cache(self, raw: Any) -> Any:
        """What forward returned, less what it kept for its backward."""
        if self.caches and isinstance(raw, tuple) and len(raw) > 1:
            return raw[0] if len(raw) == 2 else raw[:-1]
        return raw

    def takes_no_cotangent(self, outputs: Any) -> bool:
        """Nothing at all, or a point where forward gives one number."""
        if not self.back.names:
            return not self.back.more
        return self.cotangent in self.takes.names and np.size(outputs) == 1

    def values(
        self, cotangent: Any, own: Mapping[str, Any], raw: Any, rate: float
    ) -> dict[str, Any]:
        """What it is called with; own: the forward's arguments; raw: what forward returned."""
        values: dict[str, Any] = {}
        for name in self.back.names:
            if name == self.cotangent:
                continue
            if name in in_place.RATES:
                values[name] = rate
            elif name in self.caches:
                if isinstance(raw, tuple | list):
                    values[name] = raw[-1]
            elif name in own:
                if name in self.back.required:
                    values[name] = own[name]
            elif name.lower() in OUTPUTS and name in self.back.required:
                values[name] = self.without_cache(raw)
        return values | self._cotangents(cotangent, raw)

    def _cotangents(self, cotangent: Any, raw: Any) -> dict[str, Any]:
        """One argument, or one for each output where so many are asked for."""
        if isinstance(cotangent, tuple):
            if self.more and len(cotangent) == len(self.more) + 1:
                return dict(zip((self.cotangent, *self.more), cotangent, strict=True))
            outputs = self.without_cache(raw)
            if isinstance(outputs, Mapping) and len(outputs) == len(cotangent):
                return {self.cotangent: dict(zip(outputs, cotangent, strict=True))}
            if len(cotangent) == 1:
                return {self.cotangent: cotangent[0]}
        return {self.cotangent: cotangent}
