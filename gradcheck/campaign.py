"""Long verification on many workers, with Dask: a worker that dies is a record, not the end."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gradcheck import records
from gradcheck.errors import MissingExtra, UsageError
from gradcheck.evaluation import describe
from gradcheck.findings import worst

CHUNK = 50  # examples a task: short enough to spread, long enough to pay for sending it


def campaign(
    paths: Sequence[str],
    *,
    workers: int = 2,
    examples: int = 300,
    seed: int | None = None,
    folder: Path,
    scheduler: str | None = None,
    timeout: float = 600.0,
) -> records.Run:
    """Verify layers given as package.module:object over `examples` examples each.

    Starts `workers` processes here, or uses the Dask scheduler at an address. A task that takes
    more than `timeout` seconds is a "timeout", one whose worker dies is "crashed". Writes
    results.jsonl and index.html into `folder`, and prints a line per finished task.
    Raises MissingExtra without the extra `campaign`, UsageError for a path that has no object.
    """
    from gradcheck.emit import command_line, run_info
    from gradcheck.locate import locate
    from gradcheck.report import write_page

    if workers < 1 or examples < 1:
        raise UsageError(f"campaign: workers={workers!r}, examples={examples!r}: at least 1 each")
    for path in paths:
        locate(path)
    seed = secrets.randbelow(2**31) if seed is None else seed
    chunks = range(0, examples, CHUNK)
    tasks = [(p, min(CHUNK, examples - at), seed + at) for p in paths for at in chunks]
    found: list[records.Case] = []
    with _client(workers, scheduler) as client:
        for done, cases in enumerate(_gather(client, tasks, timeout), 1):
            found += cases
            said = ", ".join(sorted({c.verdict for c in cases if c.failed})) or "correct"
            print(f"[{done}/{len(tasks)}] {cases[0].subject}: {said}", flush=True)
    info = run_info(seed=seed, profile="campaign", command=command_line(seed, "--seed"))
    with records.Writer(folder / "results.jsonl") as writer:
        writer.write(info)
        for case in merged(found):
            writer.write(case)
    run = records.read([folder / "results.jsonl"])
    write_page(run, folder / "index.html")
    print(folder / "index.html")
    return run


def merged(cases: Sequence[records.Case]) -> Iterator[records.Case]:
    """One case per subject, check, dtype and device: figures added, the worst verdict kept."""
    groups: dict[str, list[records.Case]] = {}
    for case in cases:
        groups.setdefault(case.id, []).append(case)
    for group in groups.values():
        whole = group[0]
        ran = [case.verdict for case in group if case.verdict != "skipped"]
        whole.verdict = worst(ran) if ran else "skipped"
        whole.examples = sum(case.examples for case in group)
        whole.seconds = sum(case.seconds for case in group)
        whole.evaluations = sum(case.evaluations for case in group)
        whole.score = max((c.score for c in group if c.score is not None), default=None)
        whole.remarks = list(dict.fromkeys(r for case in group for r in case.remarks))
        kept = {(f.kind, f.input): f for case in group for f in case.findings}
        whole.findings = list(kept.values())
        yield whole


def verify_chunk(path: str, examples: int, seed: int) -> list[str]:
    """What a worker runs: one chunk of one layer, as lines of records."""
    from gradcheck.api import check
    from gradcheck.emit import cases
    from gradcheck.locate import locate

    report = check(locate(path), examples=examples, seed=seed)
    return [records.encode(case) for case in cases(report)]


def _gather(client: Any, tasks: Sequence[Any], timeout: float) -> Iterator[list[records.Case]]:
    """The cases of each task, as they finish."""
    futures = {client.submit(verify_chunk, *t, pure=False, retries=0): t for t in tasks}
    for future, task in futures.items():
        try:
            lines = future.result(timeout=timeout)
            yield [case for case in map(records.decode, lines) if isinstance(case, records.Case)]
        except TimeoutError:
            future.cancel()
            yield [_lost(task, "timeout", f"no answer in {timeout:g} s")]
        except Exception as error:  # noqa: BLE001 - a dead worker, or whatever the layer raised
            yield [_lost(task, "crashed", f"{type(error).__name__}: {error}")]


def _lost(task: tuple[str, int, int], verdict: str, why: str) -> records.Case:
    """The record of a task that came to nothing."""
    path, examples, seed = task
    message = f"{verdict} at examples={examples}, seed={seed}: {why}"
    finding = records.FindingRecord(kind=verdict, check="campaign", message=message, cause=verdict)
    return records.Case(path, "campaign", verdict=verdict, reason=why, findings=[finding])


def _client(workers: int, scheduler: str | None) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtra("campaign: needs Dask: pip install 'gradcheck[campaign]'") from None
    if scheduler is not None:
        try:
            return Client(scheduler)
        except (OSError, ValueError) as error:
            raise UsageError(f"campaign: scheduler={scheduler!r}: {describe(error)}") from error
    return Client(n_workers=workers, threads_per_worker=1, dashboard_address=None)
