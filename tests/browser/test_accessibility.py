"""axe-core finds nothing serious, in light and dark, wide and narrow."""

from importlib.util import find_spec
from pathlib import Path

import pytest

RUN = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"


@pytest.fixture(scope="module")
def axe():
    spec = find_spec("axe_playwright_python")
    if spec is None:
        pytest.skip("axe-core is not installed: pip install axe-playwright-python")
    (folder,) = spec.submodule_search_locations
    return (Path(folder) / "axe.min.js").read_text(encoding="utf-8")


def serious(tab, axe):
    tab.evaluate(axe)
    return [
        (rule["id"], rule["nodes"][0]["html"][:200], rule["nodes"][0]["failureSummary"][:300])
        for rule in tab.evaluate(RUN)
        if rule["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["passing", "failing"])
def test_no_serious_violation(visit, axe, name, scheme, width):
    tab = visit(name, width=width, color_scheme=scheme)
    for details in tab.locator("details").all():
        details.evaluate("details => { details.open = true; }")
    assert serious(tab, axe) == []


def test_a_planted_violation_is_found(visit, axe):
    tab = visit("passing")
    tab.evaluate("document.querySelector('h1').style.color = '#eee'")
    assert [rule for rule, *_ in serious(tab, axe)] == ["color-contrast"]


def test_every_chart_is_named_and_described(visit):
    tab = visit("failing")
    names = tab.locator("svg").evaluate_all(
        "all => all.map(svg => svg.getAttribute('aria-labelledby').split(' ')"
        ".map(id => document.getElementById(id).textContent.length))"
    )
    assert len(names) > 20
    assert all(title > 2 and description > 10 for title, description in names)
