"""Everything the records of one run or several tell."""

from __future__ import annotations

from dataclasses import dataclass, field

from gradcheck.records.case import Case
from gradcheck.records.schema import End, Power, Record, RunInfo, Section


@dataclass(slots=True)
class Unreadable:
    """A line that was skipped, counted from 1, and why."""

    path: str
    line: int
    reason: str


@dataclass(slots=True)
class Run:
    """Everything read from the records of one run or of several. `infos` has one item per run."""

    infos: list[RunInfo] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    powers: list[Power] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    _current: int | None = field(default=None, repr=False)

    @classmethod
    def of(cls, *records: Record) -> Run:
        """The run these records tell, as if they had been written and read."""
        run = cls()
        for record in records:
            run.add(record)
        return run

    @property
    def failures(self) -> list[Case]:
        """The cases that did not pass."""
        return [case for case in self.cases if case.failed]

    def new_file(self) -> None:
        """What comes now belongs to no `RunInfo` that was seen before."""
        self._current = None

    def add(self, record: Record) -> None:
        """One more record; cases and ends belong to the latest `RunInfo`."""
        if isinstance(record, RunInfo):
            self._enter(record)
        elif isinstance(record, Power):
            self.powers.append(record)
        elif isinstance(record, Section):
            if record not in self.sections:  # every worker may have emitted the same one
                self.sections.append(record)
        else:
            self._own(record)

    def _own(self, record: Case | End) -> None:
        if self._current is None:
            self._enter(RunInfo())
        record.run = self._current or 0
        if isinstance(record, Case):
            self.cases.append(record)
        else:
            self.ends.append(record)

    def _enter(self, info: RunInfo) -> None:
        for number, known in enumerate(self.infos):
            if info.id and info.id == known.id:
                _merge_info(known, info)
                self._current = number
                return
        self._current = len(self.infos)
        self.infos.append(info)


def _merge_info(into: RunInfo, other: RunInfo) -> None:
    seen = {entry.pattern: entry for entry in into.known_failures}
    for entry in other.known_failures:
        if entry.pattern in seen:
            seen[entry.pattern].used += entry.used
        else:
            into.known_failures.append(entry)
    into.devices.extend(device for device in other.devices if device not in into.devices)
