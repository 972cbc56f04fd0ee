"""A real Chromium, offline, and the pages of the two sample runs."""

import pytest

from gradcheck.report import write_page
from gradcheck.report.demo import failing_run, passing_run
from gradcheck.report.screenshots import system_browser


@pytest.fixture(scope="session")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if system_browser() is None:
        pytest.skip("no Chromium on this system")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=system_browser())
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """The file: addresses of both pages."""
    folder = tmp_path_factory.mktemp("pages")
    write_page(passing_run(), folder / "passing.html")
    write_page(failing_run(), folder / "failing.html", baseline=passing_run())
    return {name: (folder / f"{name}.html").as_uri() for name in ("passing", "failing")}


@pytest.fixture
def visit(chromium, pages):
    """Opens a page in a fresh context; what it logs and asks for is in its `said`."""
    contexts = []

    def open_page(name, anchor="", *, width=1280, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, offline=True, **options
        )
        contexts.append(context)
        tab = context.new_page()
        tab.said = []
        tab.on("console", lambda message: tab.said.append(message.text))
        tab.on("pageerror", lambda error: tab.said.append(str(error)))
        tab.on("request", lambda request: tab.said.append(request.url))
        tab.goto(pages[name] + anchor)
        return tab

    yield open_page
    for context in contexts:
        context.close()
