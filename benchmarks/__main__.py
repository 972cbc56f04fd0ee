"""`make bench`: every benchmark, one after the other, each in a process of its own.

    python -m benchmarks [NAME ...]

Names are the modules of this folder; without one, all run, the shorter settings of each.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

# Module and the arguments of its shorter setting; `--help` of each says what the longer ones are.
BENCHMARKS: dict[str, list[str]] = {
    "speed": [],
    "kinks": [],
    "verdicts": [],
    "encoder": [],
    "overhead": [],
    "operators": [],
    "reference": [],
    "schemes": [],
    "precision": [],
    "report": [],
}


def main() -> int:
    """Run the benchmarks that are asked for; the worst exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    names = parser.parse_args().names or list(BENCHMARKS)
    worst = 0
    for name in names:
        print(f"\n== {name}: python -m benchmarks.{name} {' '.join(BENCHMARKS[name])}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *BENCHMARKS[name]]
        worst = max(worst, subprocess.run(command, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
