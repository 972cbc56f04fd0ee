"""docs/reference.md is what the docstrings of reference/ give, and misses no layer."""

import re

import pytest

from docs import generate_reference
from reference.layers import LAYERS
from reference.losses import LOSSES
from reference.optimizers import OPTIMIZERS
from reference.schemes import SCHEMES

LISTED = {
    **{f"layers-{name}": name for name in LAYERS},
    **{f"losses-{name}": name for name in LOSSES},
    **{f"optimizers-{name}": name for name in OPTIMIZERS},
    **{f"schemes-{name}": name for name in SCHEMES},
}


def entry_of(identifier):
    """The text of one entry of the page that is checked in."""
    text = generate_reference.PAGE.read_text(encoding="utf-8")
    found = re.search(rf'^### <a id="reference-{identifier}"></a>.*?(?=^##|\Z)', text, re.M | re.S)
    assert found, f"no entry for {identifier}"
    return found[0]


def test_the_page_is_up_to_date():
    fresh = generate_reference.page()
    stored = generate_reference.PAGE.read_text(encoding="utf-8")
    assert stored == fresh, "stale: run `python -m docs.generate_reference`"


@pytest.mark.parametrize("identifier", LISTED)
def test_every_listed_module_has_an_entry(identifier):
    assert f"`{LISTED[identifier]}`" in entry_of(identifier)


@pytest.mark.parametrize("identifier", [key for key in LISTED if key.startswith(("lay", "los"))])
def test_layers_and_losses_have_formula_shapes_errors_and_source(identifier):
    text = entry_of(identifier)
    for heading in ("Formula", "Shapes", "Errors", "Source"):
        assert f"**{heading}**\n\n```text\n" in text


def test_a_changed_docstring_makes_the_page_stale(tmp_path, monkeypatch):
    stored = generate_reference.page()
    page = tmp_path / "reference.md"
    monkeypatch.setattr(generate_reference, "PAGE", page)
    assert generate_reference.main(["--check"]) == 1
    page.write_text(stored, encoding="utf-8")
    assert generate_reference.main(["--check"]) == 0
    page.write_text(stored.replace("Layer normalisation", "Layer scaling"), encoding="utf-8")
    assert generate_reference.main(["--check"]) == 1


def test_the_headings_are_told_from_the_text():
    text, blocks = generate_reference.split(
        "Some words.\n\nFormula\n    y = x\n      more\n\nSource\n    a book"
    )
    assert text == "Some words."
    assert blocks == {"Formula": "y = x\n  more", "Source": "a book"}
