"""The whole page: its panels, its limits, what its first screen says."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import gradcheck.report.panels as panels
from gradcheck.records import Case, FindingRecord, RecordError, Run, RunInfo, Unreadable
from gradcheck.report import render, render_fragment, write_page
from gradcheck.report.demo import failing_run, large_run, passing_run

FOLDER = Path(panels.__file__).parent
ORDER = ["verdict", "changes", "matrix", "failures", "oracles", "detectable", "coverage", "power",
         "sections", "trend", "slowest", "environment"]  # fmt: skip
SOMETIMES = {"changes", "trend"}


def test_every_panel_file_is_listed_and_has_its_template():
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "base"}
    listed = {panel.id for panel in panels.PANELS}
    assert files == listed, f"panels/__init__.py lacks {files - listed}"
    for name in files:
        assert import_module(f"gradcheck.report.panels.{name}").PANEL.id == name
        assert (FOLDER.parent / "templates" / f"{name}.html").exists(), f"no template for {name}"


def test_the_panels_come_in_the_order_of_the_design():
    assert [panel.id for panel in panels.PANELS] == ORDER


@pytest.mark.parametrize("make", [passing_run, failing_run, Run, lambda: Run.of(RunInfo())])
def test_every_panel_has_content_whatever_was_recorded(parse, make):
    page = parse(render(make()))
    for name in set(ORDER) - SOMETIMES:
        words = page.panel(name).split()
        assert len(words) > 3, f"{name} says {words}"


def test_ids_are_unique_and_links_lead_somewhere(parse, failing, passing):
    page = parse(render(failing, passing))
    ids = [e["attributes"]["id"] for e in page.elements if "id" in e["attributes"]]
    assert len(ids) == len(set(ids))
    hrefs = [link["attributes"]["href"] for link in page.all("a")]
    assert {href[1:] for href in hrefs if href.startswith("#")} <= set(ids)
    for element in page.elements:
        named = element["attributes"].get("aria-labelledby", "").split()
        assert set(named) <= set(ids)


@pytest.mark.parametrize("make", [passing_run, failing_run])
def test_every_path_is_whole(parse, make):
    paths = [e["attributes"]["d"] for e in parse(render(make())).all("path")]
    assert max(map(len, paths)) > 2000
    assert [d for d in paths if not re.fullmatch(r"[MLHVhlmvz\d .-]+", d)] == []


def test_the_page_needs_nothing_else(parse, failing):
    page = parse(render(failing))
    assert not page.all("link")
    assert not page.all("img")
    assert [e for e in page.all("script") if "src" in e["attributes"]] == []
    assert not re.search(r"(?:https?:)?//[a-z]", page.one("style")["text"])
    policy = page.one("meta", http_equiv="Content-Security-Policy")["attributes"]["content"]
    assert "default-src 'none'" in policy


def test_the_first_screen_of_a_failing_run_says_what_where_and_why(parse, failing):
    html = render(failing)
    hero = parse(html).panel("verdict")
    assert hero.index("Three mistakes") < hero.index("The gradient of W is transposed")
    assert "W[0, 1]: expected -3, returned 0.75" in hero
    assert "it is x.T @ cotangent" in hero
    assert "Masked entries of scores receive a gradient" in hero
    assert "At the kink x[0] = 0 the declared convention (alpha = 0) asks for 0" in hero


def test_the_first_screen_of_a_passing_run_says_what_would_have_been_seen(parse, passing):
    hero = parse(render(passing)).panel("verdict")
    assert "one known failure" in hero
    assert re.search(r"a relative error of \d\S+ in a gradient as a whole", hero)
    assert parse(render(passing)).panel("failures").split()[:3] == ["What", "is", "wrong"]


def test_a_failure_reads_from_what_to_where_to_example_to_script_to_evidence_to_hint(
    parse, failing
):
    words = parse(render(failing)).panel("failures")
    places = [
        words.index(part)
        for part in (
            "The gradient of W is transposed",
            "entry",
            "Smallest example",
            "Script that reproduces it",
            "The gradient, entry by entry",
            "Error against step size",
            "What to look for in the code",
        )
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("verdicts", "headline"),
    [
        ([], "Nothing was verified"),
        (["correct"], "Every gradient is right"),
        (["skipped"], "Nothing could be verified"),
        (["correct", "known_failure"], "Right, but for one known failure"),
        (["correct", "inconclusive"], "Nothing wrong, but one undecided"),
        (["wrong"], "One mistake"),
        (["wrong", "broken", "inconclusive"], "Two mistakes"),
        (["a verdict of next year"], "One mistake"),
    ],
)
def test_the_headline(parse, verdicts, headline):
    run = Run.of(*(Case(f"s{k}", "c", verdict=v) for k, v in enumerate(verdicts)))
    assert parse(render(run)).one("h1")["text"] == headline


def test_only_correct_passes(parse):
    run = Run.of(Case("a", verdict="timeout"), Case("b", verdict="crashed", reason="signal 11"))
    words = parse(render(run)).panel("failures")
    assert "Did not finish in its time." in words
    assert "Signal 11" in words


def test_failures_beyond_the_first_fifty_are_rows_and_none_is_dropped(parse):
    cases = [
        Case(f"layer{k}", "gradient", verdict="wrong", findings=[FindingRecord(message=f"off {k}")])
        for k in range(120)
    ]
    page = parse(render(Run.of(*cases)))
    assert len(page.all("dl", class_="where")) <= 50
    words = page.panel("failures")
    assert all(f"ff {k} " in words for k in range(120))
    assert len(page.all("details", class_="group")) == 120


def test_of_ten_thousand_failures_none_is_dropped(parse):
    cases = [
        Case(
            f"layer{k // 20}",
            f"check{k % 20}",
            verdict="wrong",
            findings=[FindingRecord(fault="t")],
        )
        for k in range(10_000)
    ]
    html = render(Run.of(*cases))
    page = parse(html)
    ids = {e["attributes"].get("id") for e in page.elements}
    assert {a["attributes"]["href"][1:] for a in page.all("a")} <= ids
    words = page.one("details", id="other-failures")["text"]
    assert len(html.encode()) < 1_000_000
    assert "9,550 more failures" in words
    assert "260 more subjects failed" in page.panel("matrix")
    assert "passed everything" not in page.panel("matrix")
    assert "layer499 check0, check1" in " ".join(words.split())


def test_passes_are_sampled_and_it_is_said(parse):
    run = Run.of(*(Case(f"layer{k}", "gradient", score=k / 1000) for k in range(900)))
    page = parse(render(run))
    words = page.panel("matrix")
    assert "Sampled: 660 more subjects passed everything" in words
    assert "layer899" in words
    assert "layer1," in words


def test_ten_thousand_cases_with_fifty_failures_weigh_less_than_a_megabyte():
    assert len(render(large_run(10_000, 50)).encode()) < 1_000_000


def test_fifty_failures_with_large_arrays_and_long_scripts_stay_below_a_megabyte():
    run = failing_run()
    wrong = next(case for case in run.cases if case.findings)
    finding = wrong.findings[0]
    rows = [[((i * 37 + j * 11) % 19 - 9) / 3 for j in range(33)] for i in range(30)]
    for side in ("expected", "returned"):
        array = getattr(finding.evidence, side)
        array.shape, array.values = [30, 33], rows if side == "expected" else rows[::-1]
    finding.example["x"].shape, finding.example["x"].values = [30, 33], rows
    finding.script = "# a long script\n" * 1400
    finding.cause = ""
    many = [
        Case(f"layer{k}", "gradient", verdict="wrong", findings=wrong.findings) for k in range(60)
    ]
    assert len(render(Run.of(*many)).encode()) < 1_000_000


def test_unreadable_lines_are_told_with_their_numbers(parse, passing):
    run = passing_run()
    run.unreadable.append(Unreadable("reports/results.jsonl", 12, "truncated"))
    page = parse(render(run))
    assert "1 line of the records could not be read" in page.panel("verdict")
    assert "reports/results.jsonl" in page.panel("environment")
    assert "12" in page.one("div", id="unreadable")["text"]
    assert "could not be read" not in parse(render(passing)).text


def test_a_run_without_an_end_is_told(parse, passing):
    run = passing_run()
    run.ends.clear()
    assert "no end record" in parse(render(run)).panel("verdict")
    assert "no end record" not in parse(render(passing)).panel("verdict")


def test_the_fragment_has_no_script_and_its_own_ids(parse, failing, passing):
    both = parse(render_fragment(failing) + render_fragment(passing))
    assert not both.all("script")
    ids = [e["attributes"]["id"] for e in both.elements if "id" in e["attributes"]]
    numbered = [name for name in ids if name.startswith("g")]
    assert len(numbered) == len(set(numbered))
    assert "The gradient of W is transposed" in both.text


def test_the_page_is_the_same_every_time(failing):
    assert render(failing) == render(failing_run())


def test_the_page_is_written_whole_or_not_at_all(tmp_path, failing):
    write_page(failing, tmp_path / "new" / "index.html")
    assert (tmp_path / "new" / "index.html").read_text().endswith("</html>\n")
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"^cannot write .*index\.html: "):
        write_page(failing, tmp_path / "file" / "index.html")
