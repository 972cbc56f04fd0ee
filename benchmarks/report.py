"""Sizes and times of the page: python benchmarks/report.py [--limits]

Writes records of large runs, reads them back, renders the page, and prints seconds, megabytes of
the page and peak memory, each run in a process of its own. --limits: exit 1 where one is missed.
With playwright and Chromium it also says how long the page takes until it answers a click.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gradcheck.records import Writer, read
from gradcheck.report import write_page
from gradcheck.report.demo import large_run

# cases, failures: seconds, megabytes of the page, megabytes of memory, seconds until interactive
LIMITS = {(10_000, 50): (3.0, 1.0, 500, 2.0), (100_000, 500): (60.0, 5.0, 500, 2.0)}


def write_records(cases: int, failures: int, path: Path) -> None:
    run = large_run(cases, failures)
    with Writer(path) as writer:
        for record in (*run.infos, *run.cases, *run.ends):
            writer.write(record)


def measure(records: Path, page: Path) -> dict[str, float]:
    """Seconds to read and to render, sizes, and this process's peak memory."""
    start = time.perf_counter()
    run = read(records)
    middle = time.perf_counter()
    write_page(run, page)
    end = time.perf_counter()
    return {
        "read": middle - start,
        "render": end - middle,
        "megabytes": page.stat().st_size / 1e6,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def interactive(page: Path) -> float | None:
    """Seconds from opening the page until a click on a column's head has sorted it."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    from gradcheck.report.screenshots import system_browser

    if system_browser() is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=system_browser())
        browser.new_page().goto("about:blank")  # the browser's own start is not the page's
        tab = browser.new_page()
        start = time.perf_counter()
        tab.goto(page.as_uri())
        tab.evaluate("document.querySelector('table.sort th button').click()")
        tab.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        seconds = time.perf_counter() - start
        browser.close()
    return seconds


def run_one(cases: int, failures: int, folder: Path) -> dict[str, float]:
    records, page = folder / f"{cases}.jsonl", folder / f"{cases}.html"
    write_records(cases, failures, records)
    command = [sys.executable, __file__, "--measure", str(records), str(page)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(told)
    found["interactive"] = interactive(page) or float("nan")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--limits", action="store_true", help="exit 1 where a limit is missed")
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(json.dumps(measure(*given.measure)))
        return 0
    missed = 0
    print("cases    failures  read s  render s  page MB  memory MB  interactive s")
    with tempfile.TemporaryDirectory() as folder:
        for (cases, failures), limits in LIMITS.items():
            found = run_one(cases, failures, Path(folder))
            total = found["read"] + found["render"]
            kept = (total, found["megabytes"], found["memory"], found["interactive"])
            missed += any(value > limit for value, limit in zip(kept, limits, strict=True))
            print(
                f"{cases:<8} {failures:<9} {found['read']:<7.2f} {found['render']:<9.2f} "
                f"{found['megabytes']:<8.2f} {found['memory']:<10.0f} {found['interactive']:.2f}"
            )
    return 1 if given.limits and missed else 0


if __name__ == "__main__":
    sys.exit(main())
