"""False alarms and faults caught, beside other checkers, on the same functions at the same points.

    python -m benchmarks.verdicts                     a run of some minutes
    python -m benchmarks.verdicts --verdicts 10000 --seed 1000 --peer-seeds 0 --fault-seeds 0

Three tables. Correct functions: what share of verdicts is an alarm (there should be none), what
share is inconclusive, and why. Planted faults: what share is caught, on the functions that float64
resolves. One wrong entry among n: what share is caught as n grows.
"""

from __future__ import annotations

import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np

from benchmarks import harness
from benchmarks.faults import FAULTS, one_entry, place, planted, visible
from benchmarks.harness import ALARMS, draw, generator, judged, percentage, table, verdicts
from benchmarks.peers import PEERS
from benchmarks.zoo import ZOO, Entry
from benchmarks.zoo.entry import member, normal, of

Answers = dict[str, Counter]


# ---------------------------------------------------------------- correct functions


def false_alarms(count: int, first: int) -> dict:
    """At least `count` verdicts of the engine on correct functions, at fresh points."""
    tally, reasons, alarms, left, unexplained = Counter(), Counter(), [], [], Counter()
    evaluations: list[int] = []
    started = time.perf_counter()
    for seed, entry in _rounds(first):
        if sum(tally.values()) >= count:
            break
        for name, judgement in verdicts(entry, seed, left=left).items():
            tally[judgement.verdict] += 1
            evaluations.append(judgement.evaluations)
            if judgement.verdict in ALARMS:
                alarms.append([entry.name, name, seed, judgement.verdict])
            elif judgement.verdict == "inconclusive":
                reasons[entry.limit or "(none given)"] += 1
                unexplained.update([entry.name] * entry.resolved)
    return {
        "verdicts": sum(tally.values()),
        "tally": dict(tally),
        "alarms": alarms,
        "inconclusive_by_reason": dict(reasons.most_common()),
        "inconclusive_without_reason": dict(unexplained.most_common()),
        "left_the_domain": dict(Counter(left)),
        "evaluations": {
            "median": float(np.median(evaluations)),
            "mean": float(np.mean(evaluations)),
            "p95": float(np.percentile(evaluations, 95)),
        },
        "seconds": time.perf_counter() - started,
    }


def _rounds(first: int) -> Iterator[tuple[int, Entry]]:
    seed = first
    while True:
        yield from ((seed, entry) for entry in ZOO)
        seed += 1


def ask(who: str, entry: Entry, seed: int, vjp=None) -> str:
    """The answer of a peer, or of the engine, at the point of this seed."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if who == "gradcheck":
            return judged(verdicts(entry, seed, vjp))
        inputs, cotangent = draw(entry, seed)
        return PEERS[who](entry, inputs, cotangent, vjp or entry.vjp, seed)


def side_by_side(seeds: range) -> dict:
    """Everybody on every correct function: how often each answers what, and its time."""
    found = {}
    for who in ["gradcheck", *PEERS]:
        started = time.perf_counter()
        nasty, tame = Counter(), Counter()
        for seed in seeds:
            for entry in ZOO:
                (nasty if entry.nasty else tame)[ask(who, entry, seed)] += 1
        found[who] = {
            "nasty": dict(nasty),
            "tame": dict(tame),
            "seconds": time.perf_counter() - started,
        }
    return found


# ---------------------------------------------------------------- planted faults


def faults_caught(seeds: range, share: int) -> dict:
    """Share of planted faults caught, on every `share`-th function that float64 resolves."""
    caught: dict[str, Answers] = defaultdict(lambda: defaultdict(Counter))
    misses = []
    entries = [entry for entry in ZOO if entry.resolved]
    for seed in seeds:
        for entry in entries[seed % share :: share]:
            for name, fault, vjp in _plantings(entry, seed):
                for who in ["gradcheck", *PEERS]:
                    answer = ask(who, entry, seed, vjp)
                    caught[fault.name][who][answer] += 1
                    if who == "gradcheck" and answer != "fail":
                        misses.append([entry.name, name, seed, fault.name, answer])
    return {
        "caught": {f: {w: dict(c) for w, c in by.items()} for f, by in caught.items()},
        "misses": misses,
    }


def _plantings(entry: Entry, seed: int):
    """Every fault that shows in one input of this entry, drawn by the seed."""
    inputs, cotangent = draw(entry, seed)
    names = entry.names(inputs)
    rng = generator(entry.name, "fault", seed)
    name = names[rng.integers(len(names))]
    bare = cotangent if isinstance(entry.forward(**inputs), tuple) else cotangent[0]
    with np.errstate(all="ignore"):
        g = np.asarray(entry.vjp(bare, **inputs)[name])
        at = place(g, rng)
        if at is None:
            return
        for fault in FAULTS:
            if visible(fault, g, at):
                yield name, fault, planted(entry.vjp, name, fault, at)


# ---------------------------------------------------------------- one wrong entry among n

SIZED = {
    "sin": lambda n: member(
        "sin",
        of("x", np.sin),
        lambda u, x: {"x": u * np.cos(x)},
        lambda rng: {"x": normal(n)(rng)},
        elementwise=True,
    ),
    "x * x": lambda n: member(
        "x * x",
        lambda x: x * x,
        lambda u, x: {"x": 2 * u * x},
        lambda rng: {"x": normal(n)(rng)},
        elementwise=True,
    ),
    "sum of tanh": lambda n: member(
        "sum of tanh",
        lambda x: np.sum(np.tanh(x), keepdims=True),
        lambda u, x: {"x": u / np.cosh(x) ** 2},
        lambda rng: {"x": normal(n)(rng)},
    ),
}
SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)


def among_many(seeds: range) -> list[dict]:
    """One median entry off by x2, 1e-2, 1e-4, 1e-6 at n = 1e2 .. 1e6."""
    rows = []
    for n in SIZES:
        for size in (1.0, 1e-2, 1e-4, 1e-6):
            answers: Answers = defaultdict(Counter)
            for make in SIZED.values():
                for seed in seeds if n < 1_000_000 else seeds[:1]:
                    _one_among(make(n), one_entry(size), seed, n, answers)
            rows.append({"n": n, "size": size, "caught": {w: dict(c) for w, c in answers.items()}})
    return rows


def _one_among(entry: Entry, fault, seed: int, n: int, answers: Answers) -> None:
    inputs, cotangent = draw(entry, seed)
    at = place(entry.vjp(cotangent[0], **inputs)["x"], generator("place", seed))
    vjp = planted(entry.vjp, "x", fault, at)
    for who in ["gradcheck", *PEERS]:
        slow = who == "torch slow" and n > 1_000  # an n by n Jacobian
        answers[who]["n/a" if slow else ask(who, entry, seed, vjp)] += 1


# ---------------------------------------------------------------- printing


def print_alarms(found: dict) -> None:
    """The engine's own run."""
    n, tally = found["verdicts"], found["tally"]
    wrong = sum(tally.get(kind, 0) for kind in ALARMS)
    print(
        f"\n{n} verdicts on {len(ZOO)} correct functions in {found['seconds']:.0f} s: "
        f"{wrong} false alarms, {percentage(tally.get('inconclusive', 0), n)} inconclusive"
    )
    steps = found["evaluations"]
    print(
        f"evaluations of forward: median {steps['median']:.0f}, mean {steps['mean']:.1f}, "
        f"95th percentile {steps['p95']:.0f}; calls outside a domain: "
        f"{sum(found['left_the_domain'].values())}"
    )
    for entry, name, seed, verdict in found["alarms"][:40]:
        print(f"  ALARM {entry} [{name}] seed {seed}: {verdict}")
    print("\ninconclusive, by reason")
    print(
        table(
            [[k, v, percentage(v, n)] for k, v in found["inconclusive_by_reason"].items()],
            ["reason", "verdicts", "share"],
        )
    )
    for name, times in found["inconclusive_without_reason"].items():
        print(f"  no reason on file: {name} ({times})")


def print_side_by_side(found: dict) -> None:
    """Peers on the same functions."""
    base = found["gradcheck"]["seconds"]
    rows = []
    for who, answers in found.items():
        row = [who]
        for kind in ("tame", "nasty"):
            asked = sum(answers[kind].values()) - answers[kind].get("n/a", 0)
            row += [percentage(answers[kind].get(a, 0), asked) for a in ("fail", "inconclusive")]
        apart = sum(answers[kind].get("n/a", 0) for kind in ("tame", "nasty"))
        rows.append([*row, apart, harness.ratio(answers["seconds"], base)])
    print("\ncorrect functions, side by side (share of those it can be asked)")
    print(
        table(
            rows,
            ["checker", "alarms tame", "open", "alarms nasty", "open", "not asked", "time / ours"],
        )
    )


def print_faults(found: dict) -> None:
    """Share caught per fault and checker."""
    who = ["gradcheck", *PEERS]
    rows = [
        [fault, sum(by["gradcheck"].values()), *(_share(by[w]) for w in who)]
        for fault, by in found["caught"].items()
    ]
    print("\nplanted faults caught, on functions that float64 resolves (share of those asked)")
    print(table(rows, ["fault", "planted", *who]))


def print_among(rows: list[dict]) -> None:
    """Share caught per size."""
    who = ["gradcheck", *PEERS]
    print("\none wrong entry among n: share caught")
    print(
        table(
            [
                [f"n = {r['n']:,}", f"{r['size']:.0e}", *(_share(r["caught"][w]) for w in who)]
                for r in rows
            ],
            ["entries", "off by", *who],
        )
    )


def _share(answers: dict) -> str:
    asked = sum(answers.values()) - answers.get("n/a", 0)
    return percentage(answers.get("fail", 0), asked)


def main() -> None:
    """Run, print, write."""
    options = harness.parser(__doc__.split("\n")[0])
    options.add_argument("--verdicts", type=int, default=2000, help="verdicts of the engine")
    options.add_argument("--peer-seeds", type=int, default=2, help="seeds for the peers' table")
    options.add_argument("--fault-seeds", type=int, default=1, help="seeds for the faults' tables")
    options.add_argument(
        "--fault-share", type=int, default=4, help="plant in every K-th function (default 4)"
    )
    chosen = options.parse_args()
    harness.single_thread()
    figures = {"alarms": false_alarms(chosen.verdicts, chosen.seed)}
    print_alarms(figures["alarms"])
    if chosen.peer_seeds:
        figures["peers"] = side_by_side(range(chosen.seed, chosen.seed + chosen.peer_seeds))
        print_side_by_side(figures["peers"])
    if chosen.fault_seeds:
        seeds = range(chosen.seed, chosen.seed + chosen.fault_seeds)
        figures["faults"] = faults_caught(seeds, chosen.fault_share)
        print_faults(figures["faults"])
        figures["among"] = among_many(range(chosen.seed, chosen.seed + 3))
        print_among(figures["among"])
    harness.write(chosen.out, figures)


if __name__ == "__main__":
    main()
