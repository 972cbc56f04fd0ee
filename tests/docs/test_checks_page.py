"""docs/checks.md is what the checks say of themselves, and misses none of them."""

import pytest

from docs import generate_checks
from gradcheck.checks import all_checks
from gradcheck.checks.base import Check
from gradcheck.traits import TRAITS


def stored():
    return generate_checks.PAGE.read_text(encoding="utf-8")


def test_the_page_is_up_to_date():
    assert stored() == generate_checks.page(), "stale: run `python -m docs.generate_checks`"


@pytest.mark.parametrize("name", [*all_checks(), *TRAITS])
def test_every_check_and_trait_has_a_line(name):
    assert sum(line.startswith(f"| `{name}` |") for line in stored().splitlines()) == 1


def test_a_changed_law_makes_the_page_stale(tmp_path, monkeypatch):
    fresh = generate_checks.page()
    page = tmp_path / "checks.md"
    monkeypatch.setattr(generate_checks, "PAGE", page)
    assert generate_checks.main(["--check"]) == 1
    page.write_text(fresh, encoding="utf-8")
    assert generate_checks.main(["--check"]) == 0
    monkeypatch.setattr(all_checks()["linearity"], "law", "the vjp is affine")
    assert generate_checks.main(["--check"]) == 1


class Often(Check):
    name = "often"
    law = "a < b"
    every = 3

    def applies(self, subject):
        if "nothing declared" in subject.traits:
            return "first reason"
        return "" if subject.twin == "compared" else "second reason"


def test_reasons_are_those_returned_and_not_those_compared_with():
    assert generate_checks.never(Often()) == "first reason; second reason"
    assert generate_checks.often(Often()) == "every third"
    assert "a \\< b" in generate_checks.row(Often())
