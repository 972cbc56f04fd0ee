"""Indexing and ordering: repeated indices add up, ties keep their order."""

from gradcheck import constant, integers, parametrize_with_checks
from reference.layers import gather, scatter_add, sort, top_k
from suites.building import subject, torch

LAST = {"axis": constant(-1)}
FIRST = {"axis": constant(0)}
DIMS = {"rows": (0, 5), "columns": (0, 9), "picks": (0, 12)}


def sorted_stably(x, axis, descending=False):
    return torch.sort(x, dim=axis, descending=descending, stable=True)[0]


def largest_first(x):
    """torch.topk breaks ties in an order of its own."""
    return torch.sort(x, dim=-1, descending=True, stable=True)


SUBJECTS = [
    subject(sort, {"x": "... length", **LAST}, kinks="twin", twin=sorted_stably),
    subject(
        sort,
        {"x": "length columns", **FIRST, "descending": constant(True)},
        name="sort-descending-columns",
        kinks="twin",
        dims={"columns": (0, 5)},
        twin=sorted_stably,
    ),
    *[
        subject(
            top_k,
            {"x": "... length", "k": constant(k)},
            name=f"top_k-{k}",
            dims={"length": (k, 12)},
            kinks="twin",
            twin=lambda x, k: tuple(part[..., :k] for part in largest_first(x)),
        )
        for k in (1, 3)
    ],
    subject(
        gather,
        {"x": "rows columns", "index": integers("rows picks", 0, "columns"), **LAST},
        traits=("linear",),
        dims=DIMS,
        twin=lambda x, index, axis: torch.gather(x, axis, index),
    ),
    subject(
        gather,
        {"x": "rows columns", "index": integers("picks columns", 0, "rows"), **FIRST},
        name="gather-rows",
        traits=("linear",),
        dims=DIMS,
        twin=lambda x, index, axis: torch.gather(x, axis, index),
    ),
    subject(
        scatter_add,
        {
            "x": "rows columns",
            "index": integers("rows picks", 0, "columns"),
            "updates": "rows picks",
            **LAST,
        },
        traits=("linear",),
        dims=DIMS,
        twin=lambda x, index, updates, axis: torch.scatter_add(x, axis, index, updates),
    ),
    subject(
        scatter_add,
        {
            "x": "rows columns",
            "index": integers("picks columns", 0, "rows"),
            "updates": "picks columns",
            **FIRST,
        },
        name="scatter_add-rows",
        traits=("linear",),
        dims=DIMS,
        twin=lambda x, index, updates, axis: torch.scatter_add(x, axis, index, updates),
    ),
]


@parametrize_with_checks(SUBJECTS)
def test_indexing(subject, check):
    check(subject)
