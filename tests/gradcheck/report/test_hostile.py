"""Whatever a name, a message, a path or a script holds, the page shows it as text."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradcheck.records import (
    ArrayRecord,
    Case,
    Coverage,
    Detectable,
    Discard,
    End,
    Entry,
    Evidence,
    FindingRecord,
    KinkRecord,
    KnownFailure,
    LevelRecord,
    OracleRecord,
    Power,
    Run,
    RunInfo,
    Section,
    Series,
    Table,
    Unreadable,
    WrongEntryRecord,
    decode,
    encode,
)
from gradcheck.report import render, render_fragment
from gradcheck.report.text import clean

NASTY = [
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"\' onmouseover=alert(1) x="',
    "</style></title></svg></math></textarea>-->",
    "{{ 7 * 7 }}{% raw %}",
    "a\x00b\x1b[31mc\r\n\x7f",
    "\u202egpj.exe\u2066\u200f",
    "\udfff\ud800 lone",
    "javascript:alert(1)",
    "&lt;b&gt; &#x3c;",
    "]]><![CDATA[",
    "",
    "é梯度\U0001f525",
]
TEXT = st.one_of(st.sampled_from(NASTY), st.text(st.characters(), max_size=30))
FLOATS = st.sampled_from([float("nan"), float("inf"), float("-inf"), 0.0, 5e-324, 1e308, -1.0, 0.5])


def full_run(text, real):
    """A run that has `text` in every field that takes text, and `real` in every number."""
    array = ArrayRecord([2, 2], text, [[real, 1.0], [0.0, real]], text)
    finding = FindingRecord(
        kind="wrong", check=text, input=text, index=[0, 1], expected=real, returned=real,
        fault=text, message=text, cause=text, hint=text, example={text: array}, script=text,
        artifacts=[text],
        evidence=Evidence(
            levels=[LevelRecord(0.1, real, real, real, True), LevelRecord(0.01, 1.0, real, 1.0)],
            expected=array, returned=ArrayRecord([2, 2], text, [[1.0, 1.0], [real, 0.0]]),
            kink=KinkRecord(real, 1.0, 0.5, real, 1, [0], False, text),
            claimed=real, factor=real, tolerance=real,
            wrong_entries=[WrongEntryRecord([0, 1], real, 1.0)],
        ),
    )  # fmt: skip
    counts = {text: 3}
    coverage = Coverage({text: counts}, counts, counts, counts, counts, 1, counts, counts)
    case = Case(
        text, text, text, text, "wrong", text, real, {text: Detectable(real, real)}, 3,
        [Discard(text, 2)], real, 9, coverage,
        [OracleRecord(text, text, real, real), OracleRecord("other", text, 1.0, real)],
        [text], text, [finding],
    )  # fmt: skip
    section = Section(
        text, text, Table([text], [[text, 1.0]]), [Series(text, [], [real, 1.0, 2.0])],
        [Entry(text, text, text, text, text)], True,
    )  # fmt: skip
    infos = [
        RunInfo(str(k), 1, 1, text, text, {text: text}, [text], text, text, text,
                [KnownFailure(text, text, 0)])
        for k in range(2)
    ]  # fmt: skip
    known = Case(text, "k", verdict="known_failure", reason=text, findings=[finding])
    skipped = Case(text, "s", verdict="skipped", reason=text)
    run = Run.of(infos[0], case, known, skipped, Case(text, "c"), section, Power(text, text),
                 End(real), infos[1], Case(text + "2", verdict=text or "wrong"))  # fmt: skip
    run.unreadable.append(Unreadable(text, 3, text))
    return run


def harmless(parse, html):
    """The page parses, runs nothing but its own script, and links nowhere but beside itself."""
    page = parse(html)
    tags = {element["tag"] for element in page.elements}
    assert not tags & {"img", "iframe", "object", "embed", "link", "base", "form", "b1"}
    assert len(page.all("script")) <= 1
    for element in page.elements:
        for name, value in element["attributes"].items():
            assert not name.startswith("on"), (element["tag"], name)
            if name in ("href", "src", "action", "formaction", "xlink:href"):
                assert value.startswith(("#", "./")), value
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", html
    )
    html.encode("utf-8")
    return page


@given(TEXT, FLOATS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow,
          HealthCheck.function_scoped_fixture])  # fmt: skip
def test_hostile_text_is_text_in_every_panel(parse, text, real):
    run = full_run(text, real)
    page = harmless(parse, render(run, full_run("", 1.0)))
    harmless(parse, render_fragment(run))
    assert "7 * 7" in page.html or "7 * 7" not in text


@pytest.mark.parametrize("text", [text for text in NASTY if text])
def test_hostile_text_is_shown_as_it_is(parse, text):
    page = harmless(parse, render(full_run(text, 1.0)))
    seen = " ".join(clean(text).split())
    script = " ".join("".join(e["text"] for e in page.all("pre")).split())
    assert seen in script
    for name in ("verdict", "matrix", "failures", "detectable", "coverage", "power", "sections",
                 "environment"):  # fmt: skip
        assert seen in " ".join(page.panel(name).split()), name


@pytest.mark.parametrize("text", NASTY)
def test_hostile_records_survive_the_file(text):
    run = full_run(text, float("nan"))
    for record in (*run.infos, *run.cases, *run.sections, *run.powers):
        copy = decode(encode(record))
        if hasattr(copy, "run"):
            copy.run = record.run
        assert repr(copy) == repr(record)


def test_a_megabyte_in_every_field_makes_no_monster(parse):
    html = render(full_run("<b>" * 350_000, 1.0))
    harmless(parse, html)
    assert len(html) < 500_000


def test_only_the_pages_own_script_may_run(parse):
    page = parse(render(full_run(NASTY[0], 1.0)))
    policy = page.one("meta", http_equiv="Content-Security-Policy")["attributes"]["content"]
    assert "script-src 'sha256-" in policy
    assert "unsafe-inline'; script" in policy or "script-src 'unsafe-inline'" not in policy
