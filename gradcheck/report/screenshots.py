"""Pictures of pages at 1280 and 400 pixels: python -m gradcheck.report.screenshots FOLDER [PAGE...]

Without a page, the sample runs of `demo` are drawn. Needs playwright and a Chromium; the system's
own is used where there is one.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from gradcheck.report.demo import failing_run, passing_run
from gradcheck.report.page import write_page

WIDTHS = (1280, 400)
HEIGHT = 900
TALLEST = 12_000  # pixels of a full page; what is below is left out
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def system_browser() -> str | None:
    """The path of an installed Chromium, or None."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def sample_pages(folder: Path) -> list[Path]:
    """The pages of the two sample runs."""
    pages = {"passing": passing_run(), "failing": failing_run()}
    for name, run in pages.items():
        write_page(run, folder / f"{name}.html")
    return [folder / f"{name}.html" for name in pages]


def take(pages: Sequence[Path], folder: Path, browser: str | None = None) -> list[Path]:
    """First screen and full page of each, at both widths, light, and dark at the first width."""
    from playwright.sync_api import sync_playwright

    made: list[Path] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser or system_browser())
        for page in pages:
            for width in WIDTHS:
                for scheme in ("light", "dark") if width == WIDTHS[0] else ("light",):
                    made += _shoot(chromium, page, folder, width, scheme)
        chromium.close()
    return made


def _shoot(chromium: Any, page: Path, folder: Path, width: int, scheme: str) -> Iterator[Path]:
    size = {"width": width, "height": HEIGHT}
    context = chromium.new_context(viewport=size, color_scheme=scheme, offline=True)
    tab = context.new_page()
    tab.goto(page.resolve().as_uri())
    stem = f"{page.stem}-{width}" + ("-dark" if scheme == "dark" else "")
    yield _picture(tab, folder / f"{stem}-first.png")
    height = tab.evaluate("document.documentElement.scrollHeight")
    tab.set_viewport_size({"width": width, "height": min(height, TALLEST)})
    yield _picture(tab, folder / f"{stem}.png")
    context.close()


def _picture(tab: Any, path: Path) -> Path:
    tab.screenshot(path=str(path))
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--browser", help="path of a Chromium")
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    for path in take(given.pages or sample_pages(given.folder), given.folder, given.browser):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
