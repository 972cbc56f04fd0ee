"""Where a function is not differentiable: what the claim may be there, and what it is.

The claim itself is asked on both sides, close by: at point +- delta w the function is smooth and
the claim an ordinary gradient, which is verified numerically along w. The claim at the point must
be a convex combination of those (Clarke's generalised gradient of a piecewise smooth function).
"""

from gradcheck.kinks.followed import followed, unseen
from gradcheck.kinks.hull import in_hull, in_span, projected, two_valued
from gradcheck.kinks.neighbourhood import Neighbourhood, flat
from gradcheck.kinks.regions import in_some_region
from gradcheck.kinks.rows import bent_outputs, countable, rows
from gradcheck.kinks.sides import NAMED, Sides, cyclic, goes_on, look, more
from gradcheck.kinks.verified import FAINTLY, VERIFIED, jumps, seen
from gradcheck.kinks.walk import crowded, in_joint_walk, in_some_walk

__all__ = [
    "FAINTLY",
    "NAMED",
    "VERIFIED",
    "Neighbourhood",
    "Sides",
    "bent_outputs",
    "countable",
    "crowded",
    "cyclic",
    "flat",
    "followed",
    "goes_on",
    "in_hull",
    "in_joint_walk",
    "in_some_region",
    "in_some_walk",
    "in_span",
    "jumps",
    "look",
    "more",
    "projected",
    "rows",
    "seen",
    "two_valued",
    "unseen",
]
