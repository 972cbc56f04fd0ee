"""Part of the sum is missing: a sample, a step, a duplicate, what lies further back in time."""

from __future__ import annotations

import numpy as np

from gradcheck.diagnosis import where
from gradcheck.diagnosis.evidence import Evidence, TooSmall
from gradcheck.diagnosis.explanation import Explanation
from gradcheck.diagnosis.outputs import output_axes
from gradcheck.diagnosis.places import Rule, fitting
from gradcheck.diagnosis.words import TIME, axis
from gradcheck.judgement.problem import Judgement


def explain(evidence: Evidence, judgement: Judgement) -> Explanation | None:
    if evidence.is_complex or not evidence.one_output:
        return None
    if not evidence.scene.is_linear(evidence.name) or not np.any(evidence.claimed):
        return None
    table = selection(evidence)
    if table is not None:
        kept, dropped = table
        whole = ~kept.any(axis=0) == dropped.any(axis=0)
        if np.all(whole[dropped.any(axis=0)]):  # whole entries are zero: where they are says more
            told = where.place(evidence)
            if told is not None or evidence.integers():
                return told
        steps = any(name in TIME for name in evidence.axes)
        if _two_steps(evidence):
            raise TooSmall  # of two steps, "all but the last" is the first
        for law in (_back, *LAWS) if steps else (*LAWS, _back):
            told = law(evidence, *table)
            if told is not None:
                return told
    return _averaged(evidence) or _recurrent(evidence)


def _two_steps(evidence: Evidence) -> bool:
    """Whether time has two steps here, in the input or in the output, and more elsewhere."""
    for e in (evidence, *evidence.more()):
        names = {n: s for n, s in zip(e.axes, e.shape, strict=True) if n in TIME}
        names |= {n: e.sizes[n] for n in output_axes(evidence) if n in TIME}
        if e is evidence and 2 not in names.values():
            return False
        if e is not evidence and any(s > 2 for s in names.values()):
            return True
    return False


def _averaged(evidence: Evidence) -> Explanation | None:
    """Each entry is divided by the number of outputs that use it."""
    true = evidence.true
    used = (np.abs(true) > 1e-9 * np.nanmax(np.abs(true), initial=0.0)).sum(axis=0)
    least = 1 if evidence.integers() else int(used[used > 0].min(initial=len(true)))
    if np.max(used) == least or not evidence.matches(true * least / np.maximum(used, 1)):
        return None
    why = (
        f" where `{next(iter(evidence.integers()))}` repeats an index"
        if evidence.integers()
        else ""
    )
    return Explanation(
        f"the gradient of `{evidence.name}` is the mean of the contributions to an entry where it "
        f"should be their sum{why}",
        "mean instead of sum",
        "contributions averaged",
        "a division by a count that forward does not have",
    )


def _diagonal(evidence: Evidence, kept: np.ndarray, dropped: np.ndarray) -> Explanation | None:
    """Only what each entry contributes to the output of its own index is kept."""
    if evidence.outputs[0].shape != evidence.shape or len(kept) < 4:
        return None
    eye = np.eye(len(kept), dtype=bool)
    if np.any(kept & ~eye) or np.any(dropped & eye) or np.sum(kept) < len(kept) - 1:
        return None
    return Explanation(
        f"the gradient of `{evidence.name}` keeps only the diagonal of the Jacobian: what each "
        "entry contributes to the other outputs is missing",
        "path missing",
        "path missing: off the diagonal",
        "an entry that enters a sum, a mean or a norm reaches every output that uses it",
    )


def selection(evidence: Evidence) -> tuple[np.ndarray, np.ndarray] | None:
    """Elements of the Jacobian that are kept, and that are dropped; None where others differ."""
    true, claimed = evidence.true, evidence.claimed
    known = np.isfinite(true)
    scale = float(np.max(np.abs(true[known]), initial=0.0))
    allowed = 1e-7 * scale + 30 * np.where(known, evidence.error, 0.0)
    kept = known & (np.abs(true - claimed) <= allowed)
    there = known & (np.abs(true) > 1e-6 * scale)
    dropped = known & (claimed == 0.0) & ~kept
    if np.any(known & ~kept & ~dropped) or not dropped.any() or not (kept & there).any():
        return None
    return kept & there, dropped


def _duplicates(evidence: Evidence, kept: np.ndarray, dropped: np.ndarray) -> Explanation | None:
    """Each entry is fed by several outputs, of which only the last (or first) is kept."""
    shared = (kept | dropped).sum(axis=0) > 1
    if not shared.any() or np.any(kept[:, shared].sum(axis=0) != 1):
        return None
    rows = np.arange(len(kept))[:, None]
    chosen = (rows * kept).sum(axis=0)
    all_rows = kept | dropped
    last = np.where(all_rows, rows, -1).max(axis=0)
    first = np.where(all_rows, rows, len(kept)).min(axis=0)
    name, hint = (
        evidence.name,
        "accumulate: +=, np.add.at, index_add, scatter_add, a sum over samples",
    )
    for which, places in (("last", last), ("first", first)):
        if not np.array_equal(chosen[shared], places[shared]):
            continue
        summed = _summed_axis(evidence, kept, dropped)
        if evidence.integers() and summed is None:
            index = next(iter(evidence.integers()))
            text = (
                f"the gradient of `{name}` keeps only the {which} contribution where `{index}` "
                "repeats an index: the others are overwritten, not accumulated"
            )
            return Explanation(text, "duplicate overwritten", f"duplicate: {which} kept", hint)
        if summed is not None:
            return one_sample(name, which, summed)
        text = (
            f"the gradient of `{name}` keeps only one contribution where several outputs "
            "use an entry: the others are overwritten, not accumulated"
        )
        return Explanation(text, "duplicate overwritten", f"overlap: {which} kept", hint)
    return None


def _summed_axis(evidence: Evidence, kept: np.ndarray, dropped: np.ndarray) -> str | None:
    """The output axis that every entry sums over, where there is one the input does not have."""
    names = output_axes(evidence)
    rows = np.array([index for _, index in evidence.scene.rows])
    for a, name in enumerate(names):
        size = evidence.outputs[0].shape[a]
        if (name in evidence.axes and name) or size < 2:
            continue
        feeds = [rows[kept[:, i] | dropped[:, i]] for i in range(kept.shape[1])]
        used = [len(np.unique(f[:, a])) for f in feeds]
        apart = all(len(np.unique(np.delete(f, a, axis=1), axis=0)) == 1 for f in feeds if len(f))
        some = name and apart and max(used) == size and not evidence.integers()
        if all(n == size for n in used) or some:
            return f"`{name}`" if name else f"axis {a} of the output"
    return None


def one_sample(name: str, which: str, summed: str) -> Explanation:
    batch = summed.strip("`") in ("batch", "n", "samples")
    return Explanation(
        f"the gradient of `{name}` comes from the {which} index of {summed} alone: "
        f"the sum over {summed} is missing",
        "missing batch sum" if batch else "missing broadcast sum",
        f"sum over {summed} missing: {which} kept",
        f"sum the cotangent over {summed}; look for =, [0] or [-1] where += or .sum is meant",
    )


def _rows(evidence: Evidence, kept: np.ndarray, dropped: np.ndarray) -> Explanation | None:
    """Whole outputs do not reach the gradient: which ones."""
    gone = np.asarray(dropped.any(axis=1))
    alone = np.all((kept | dropped).sum(axis=1) == 1)
    if np.any(kept[gone]) or (alone and evidence.outputs[0].shape == evidence.shape):
        return None  # the second: elementwise, where the entry says more than the output
    shape, used = evidence.outputs[0].shape, np.asarray((kept | dropped).any(axis=1))
    names = output_axes(evidence)
    found = _everywhere(evidence, fitting(gone.reshape(shape), used.reshape(shape), names))
    if not found:
        return None
    rule = found[0]
    summed = _summed_axis(evidence, kept, dropped)
    for a, dim in enumerate(names):
        mine = f"`{dim}`" if dim and dim not in evidence.axes else f"axis {a} of the output"
        foreign = dim not in evidence.axes and (dim or _spans(evidence, kept | dropped, a))
        if not (mine == summed or foreign):
            continue
        one = ("last", "first") if shape[a] == 2 else ()
        if rule.key in [f"{a} {key}" for key in ("rest", "front", *one)]:
            which = "first" if rule.key.split()[1] in ("rest", "last") else "last"
            return one_sample(evidence.name, which, mine)
    return Explanation(
        f"the gradient of `{evidence.name}` misses what comes from outputs {rule.said}",
        rule.fault,
        f"outputs dropped: {rule.key}",
        "a loop or a slice over the cotangent that stops or starts too early",
        {"rule": rule.key},
    )


def _spans(evidence: Evidence, used: np.ndarray, a: int) -> bool:
    """Whether every entry is fed by outputs at every index of an axis, as if broadcast there."""
    size = evidence.outputs[0].shape[a]
    rows = np.array([index[a] for _, index in evidence.scene.rows])
    return size > 1 and all(len(np.unique(rows[used[:, i]])) == size for i in range(used.shape[1]))


def _everywhere(evidence: Evidence, found: list[Rule]) -> list[Rule]:
    """Those of some rules about outputs that hold at the other examples too."""
    for other in evidence.more():
        table = selection(other)
        if table is None:
            return []
        gone = np.asarray(table[1].any(axis=1))
        used = np.asarray((table[0] | table[1]).any(axis=1))
        shape = other.outputs[0].shape
        names = ("",) * len(shape)
        there = {r.key for r in fitting(gone.reshape(shape), used.reshape(shape), names)}
        found = [rule for rule in found if rule.key in there]
    return found


def _back(evidence: Evidence, kept: np.ndarray, dropped: np.ndarray) -> Explanation | None:
    """Contributions from outputs k and more steps later are gone."""
    rows = np.array([index for _, index in evidence.scene.rows])
    columns = np.indices(evidence.shape).reshape(len(evidence.shape), -1).T
    for a, size in enumerate(evidence.outputs[0].shape):
        for b, other in enumerate(evidence.shape):
            if size != other or size < 3 or rows.ndim < 2:
                continue
            lag = rows[:, a][:, None] - columns[:, b][None, :]
            for way, later in (("later", lag), ("earlier", -lag)):
                if np.any(later[kept | dropped] < 0) or not dropped.any():
                    continue
                reach = int(later[kept].max())
                if later[dropped].min() > reach:
                    return _truncated(evidence, axis(evidence.axes, b), reach, way)
    return None


# What may be dropped, in the order asked.
LAWS = (_diagonal, _duplicates, _rows)


def _truncated(evidence: Evidence, where: str, reach: int, way: str) -> Explanation:
    steps = f"{reach} step{'s' if reach > 1 else ''}"
    said = f"more than {steps} {way}" if reach else f"at {way} steps"
    return Explanation(
        f"the gradient of `{evidence.name}` is truncated through time: what outputs {said} "
        f"along {where} contribute is missing",
        "truncated through time",
        f"truncated through time after {reach} steps",
        "carry the gradient of the state from each step to the one before",
    )


def _recurrent(evidence: Evidence) -> Explanation | None:
    """A parameter of every step: right for the first outputs in time, wrong for all later ones."""
    names = output_axes(evidence)
    times = [a for a, n in enumerate(names) if n in TIME and n not in evidence.axes]
    if not times:
        return None
    if evidence.outputs[0].shape[times[0]] < 3:
        raise TooSmall
    true, claimed = evidence.true, evidence.claimed
    rows = np.array([index for _, index in evidence.scene.rows])[:, times[0]]
    scale = float(np.nanmax(np.abs(true), initial=0.0))
    off = np.nanmax(np.abs(true - claimed), axis=1, initial=0.0) > 1e-6 * scale
    live = np.nanmax(np.abs(true), axis=1, initial=0.0) > 1e-9 * scale
    if not live.any():
        return None
    wrong = [bool(np.any(off[rows == t])) for t in range(rows.max() + 1)]
    first = wrong.index(True) if True in wrong else 0
    if not all(wrong[first:]) or first not in (1, 2, 3):
        return None
    if not np.any(true[rows < first]) or np.any(off[rows < first]):
        return None
    if not _reaches_less(true, claimed, rows, first):
        return None
    along = f"`{names[times[0]]}`"
    return Explanation(
        f"the gradient of `{evidence.name}` is truncated through time: right for outputs before "
        f"index {first} of {along}, and without the path through the previous step after it",
        "truncated through time",
        f"truncated through time after {first - 1} steps",
        "carry the gradient of the state from each step to the one before",
    )


def _reaches_less(true: np.ndarray, claimed: np.ndarray, rows: np.ndarray, first: int) -> bool:
    """Whether later outputs reach entries of the truth that the claim never does.

    Truncated, something is left out; wrong all the same but reaching everything, it is not.
    """
    later = rows >= first
    scale = float(np.nanmax(np.abs(true), initial=0.0))
    due = later[:, None] & (np.abs(true) > 1e-9 * scale)
    given = np.abs(claimed) > 1e-12 * scale
    return bool(np.any(due & ~given)) and not np.any(given[later] & ~due[later])
