"""The words and numbers that every reader of records must know."""

from __future__ import annotations

SCHEMA = 1
PASSED = "correct"
FAILED = (
    "wrong",
    "wrong_at_kink",
    "broken",
    "nonfinite",
    "nondeterministic",
    "crashed",
    "timeout",
    "inconclusive",
)
EXCUSED = (PASSED, "known_failure", "skipped")  # any other verdict is a failure
VERDICTS = (PASSED, *FAILED, *EXCUSED[1:])
CLAIM = "the claim"  # what a VJP says, among the oracles
POWER_FILE = "results-power.jsonl"  # planted faults, beside results.jsonl
MAX_VALUES = 1000  # a larger array goes to an artifact
