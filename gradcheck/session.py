"""One pytest run: its settings, its items, its records, and what is written at its end."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gradcheck import records
from gradcheck.checks import all_checks
from gradcheck.checks.base import Check
from gradcheck.devices import devices_of
from gradcheck.emit import case as case_record
from gradcheck.emit import command_line, powers, run_info
from gradcheck.errors import GradientError, UsageError
from gradcheck.findings import Report
from gradcheck.profiles import DEFAULT, Profile, profile
from gradcheck.pytest_plugin import seed_of, worker_id
from gradcheck.reproduce import attach_scripts
from gradcheck.runner import Plan, verify
from gradcheck.subject import Subject

if TYPE_CHECKING:
    from gradcheck.power import Planted

GUARDS = ("forward", "contract")  # what must hold before a later stage means anything


@dataclass
class Session:
    """Settings and records of this process; the controller merges the workers' files."""

    profile: Profile
    seed: int
    devices: tuple[str, ...]
    folder: Path | None
    known: dict[str, str]
    argv: list[str] | None = None
    patterns: Counter[str] = field(default_factory=Counter)
    totals: Counter[str] = field(default_factory=Counter)
    started: float = field(default_factory=time.perf_counter)
    causes: list[str] = field(default_factory=list)
    writer: records.Writer | None = None
    run: records.Run | None = None
    stale: list[str] = field(default_factory=list)
    # Whether all of the project is collected: the file of known failures speaks of all of it.
    whole: bool = True

    @classmethod
    def of(cls, config: pytest.Config) -> Session:
        """The session that the options and their ini twins ask for."""

        def option(name: str) -> Any:
            given = config.getoption(f"gradcheck_{name}")
            return given if given is not None else config.getini(f"gradcheck_{name}") or None

        folder = option("report")
        return cls(
            profile=profile(option("profile") or DEFAULT),
            seed=_seed(seed_of(config)),
            devices=devices_of(option("device") or "cpu"),
            folder=Path(config.rootpath, folder) if folder else None,
            known=_known_failures(option("known_failures"), config.rootpath),
            argv=getattr(config, "workerinput", {}).get("mainargv"),
            whole=not any(_names_a_file(arg) for arg in config.args),
        )

    # -- items ---------------------------------------------------------------------------------

    def verify(self, subject: Subject, check: Check, dtype: str, device: str, known: Any) -> None:
        """Run one item: record it, and raise unless its verdict is as expected."""
        __tracebackhide__ = True
        guards = [c for n, c in all_checks().items() if n in GUARDS and c.stage < check.stage]
        plan = Plan(
            examples=self.profile.examples,
            seed=self.seed,
            shrink_seconds=self.profile.shrink_seconds,
            dtype=dtype,
            device=device,
        )
        report = attach_scripts(verify(subject, [*guards, check], plan), subject, subject, None, {})
        self._record(report, check, known)

    def _record(self, report: Report, check: Check, known: tuple[str, str] | None) -> None:
        __tracebackhide__ = True
        outcome = report.outcomes[check.name]
        record = case_record(report, check.name, self.folder / "artifacts" if self.folder else None)
        guard = next((o for o in report.outcomes.values() if o is not outcome and o.findings), None)
        if guard is not None and not outcome.findings:
            record.verdict, record.reason = "skipped", f"the check '{guard.check}' fails first"
        failed = record.failed
        if known is not None and failed:
            record.verdict, record.reason = "known_failure", known[1]
        self._write(record)
        self.totals[record.verdict] += 1
        if record.verdict == "skipped":
            pytest.skip(record.reason)
        if known is not None:
            if not failed:
                pytest.fail(f"known failure {known[0]!r} passes: remove it", pytrace=False)
            pytest.xfail(known[1])
        if failed:
            # What the guards found belongs to their own items.
            report.outcomes = {check.name: outcome}
            self.causes += [f"{report.subject}: {f.message}" for f in outcome.findings[:1]]
            raise GradientError(report)

    def section(
        self,
        title: str,
        text: str = "",
        table: Mapping[str, Any] | None = None,
        series: Iterable[Mapping[str, Any]] = (),
        log: bool = False,
        catalogue: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """Record a section: title, text, table {columns, rows}, series [{name, x, y}]."""
        self._write(
            records.Section(
                title=title,
                text=text,
                table=records.Table(**table) if table else None,
                series=[records.Series(**s) for s in series],
                catalogue=[records.Entry(**e) for e in catalogue],
                log=log,
            )
        )

    def planted(self, subject: Subject, faults: Iterable[str] | None = None) -> list[Planted]:
        """Plant faults in a subject, record what was caught, and fail where one was missed."""
        __tracebackhide__ = True
        from gradcheck.power import describe_power, power

        names = None if faults is None else list(faults)
        results = power(subject, seed=self.seed, faults=names, quick=True)
        for record in powers(subject.name, results):
            self._write(record)
        if not all(result.caught for result in results):
            pytest.fail(f"{subject.name}:\n{describe_power(results)}", pytrace=False)
        return results

    def known_failure(self, identity: str, own: Mapping[str, str]) -> tuple[str, str] | None:
        """The (glob, reason) that excuses an item, where one does; every match is counted."""
        found = None
        for pattern, reason in {**self.known, **own}.items():
            self.patterns[pattern] += 0
            if fnmatchcase(identity, pattern):
                self.patterns[pattern] += 1
                found = (pattern, reason)
        return found

    # -- records -------------------------------------------------------------------------------

    def _write(self, record: records.Case | records.Section | records.Power) -> None:
        if self.folder is None:
            return
        if self.writer is None:
            self.writer = records.Writer(self.folder / f".records-{worker_id()}.jsonl")
            self.writer.write(self._info())
        self.writer.write(record)

    def _info(self) -> records.RunInfo:
        info = run_info(
            seed=self.seed,
            profile=self.profile.name,
            devices=self.devices,
            command=command_line(self.seed, argv=self.argv),
        )
        info.id = f"{self.seed}-{os.environ.get('PYTEST_XDIST_TESTRUNUID', 'one process')}"
        info.known_failures = [
            records.KnownFailure(pattern, self.known.get(pattern, ""), used)
            for pattern, used in self.patterns.items()
        ]
        return info

    def told(self) -> dict[str, Any]:
        """What a worker tells the process that writes the summary."""
        counts = {"totals": dict(self.totals), "patterns": dict(self.patterns)}
        return {**counts, "causes": list(self.causes)}

    def add(self, told: Mapping[str, Any]) -> None:
        """Add what a worker tells: every one has collected all items, each has run some."""
        self.totals.update(told["totals"])
        self.causes += told["causes"]
        for pattern, used in told["patterns"].items():
            self.patterns[pattern] = max(self.patterns[pattern], used)

    def finish(self, exit_status: int, is_worker: bool) -> bool:
        """Close this process's records; the controller merges, writes the page. True: stale ids."""
        judged = {p: used for p, used in self.patterns.items() if p not in self.known or self.whole}
        self.stale = [pattern for pattern, used in judged.items() if not used]
        if self.writer is not None:
            self.writer.close()
        if is_worker or self.folder is None:
            return bool(self.stale) and not is_worker
        parts = sorted(self.folder.glob(".records-*.jsonl"))
        if parts:
            self._page(parts, exit_status)
        return bool(self.stale)

    def _page(self, parts: list[Path], exit_status: int) -> None:
        from gradcheck.report import write_page

        assert self.folder is not None
        results = self.folder / "results.jsonl"
        records.merge(parts, results, remove=True)
        planted = self.folder / records.POWER_FILE
        run = records.read([results, *([planted] if planted.exists() else [])])
        self.totals = Counter(case.verdict for case in run.cases)
        self.causes = list(
            dict.fromkeys(f"{c.subject}: {f.message}" for c in run.failures for f in c.findings)
        )
        end = records.End(time.perf_counter() - self.started, exit_status, dict(self.totals))
        with results.open("a", encoding="ascii") as lines:
            lines.write(records.encode(end) + "\n")
        run.add(end)
        write_page(run, self.folder / "index.html")
        self.run = run
        _step_summary(self.summary())

    def summary(self) -> list[str]:
        """At most ten lines; the last is the report's path."""
        if not self.totals and not self.stale:
            return []
        counted = ", ".join(f"{n} {v.replace('_', ' ')}" for v, n in self.totals.most_common())
        lines = [f"{counted} (seed {self.seed}, profile {self.profile.name})"]
        lines += [f"known failure {p!r} matches no item: remove it" for p in self.stale[:2]]
        lines += [cause[:200] for cause in self.causes[:5]]
        if len(self.causes) > 5:
            lines.append(f"... and {len(self.causes) - 5} more")
        if self.folder is not None:
            lines.append(f"report: {self.folder / 'index.html'}")
        return lines


def _seed(given: Any) -> int:
    try:
        return int(given)
    except ValueError:
        raise UsageError(f"--gradcheck-seed={given!r} is not an integer") from None


def _names_a_file(argument: str) -> bool:
    return "::" in argument or Path(argument).suffix == ".py"


def _known_failures(file: str | None, root: Path) -> dict[str, str]:
    """{glob: reason} from a TOML or JSON file."""
    if not file:
        return {}
    path = Path(root, file)
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            found = json.loads(text)
        else:
            import tomllib

            found = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise UsageError(f"--gradcheck-known-failures={file!r}: {error}") from None
    for pattern, reason in found.items():
        if not isinstance(reason, str) or not reason.strip():
            raise UsageError(f"--gradcheck-known-failures={file!r}: {pattern!r} has no reason")
    return dict(found)


def _step_summary(lines: list[str]) -> None:
    """Markdown for a GitHub Actions step, where there is one."""
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target and lines:
        body = "\n".join(f"- {line}" for line in lines)
        with open(target, "a", encoding="utf-8") as file:
            file.write(f"### gradcheck\n\n{body}\n")
