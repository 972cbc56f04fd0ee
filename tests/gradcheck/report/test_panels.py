"""Each panel shows what was planted for it, and is silent where its correct twin is shown."""

import pytest

from gradcheck.records import (
    CLAIM,
    Case,
    Coverage,
    Detectable,
    Discard,
    End,
    Entry,
    KnownFailure,
    OracleRecord,
    Power,
    Run,
    RunInfo,
    Section,
    Series,
    Table,
)
from gradcheck.report import render


@pytest.fixture
def panel(parse):
    """The words of one panel of a page made of some records."""

    def words(name, *records):
        return " ".join(parse(render(Run.of(*records))).panel(name).split())

    return words


def test_matrix_shows_the_worst_score_of_each_cell_and_links_failures(parse):
    run = Run.of(
        Case("dense", "gradient", score=0.2),
        Case("dense", "gradient", score=0.7),
        Case("relu", "kinks", verdict="wrong_at_kink", score=3e5),
        Case("relu", "gradient", score=0.0),
    )
    page = parse(render(run))
    table = page.one("table", class_="matrix")["text"]
    assert ".70" in table
    assert ".20" not in table
    link = next(a for a in page.all("a") if "wrong at a kink, 3e5 times the tolerance" in a["text"])
    assert link["attributes"]["href"] == "#f-relu-kinks-float64-cpu"


def test_matrix_gives_a_row_to_each_dtype_and_device_only_where_checks_run_on_several(parse):
    both = [Case("dense", "gradient", dtype) for dtype in ("float64", "float32")]
    apart = [Case("dense", "gradient"), Case("dense", "rounding", "float32")]
    assert "float32 cpu" in parse(render(Run.of(*both))).one("table", class_="matrix")["text"]
    assert len(parse(render(Run.of(*both))).all("th", class_="place")) == 2
    page = parse(render(Run.of(*apart)))
    assert not page.all("th", class_="place")
    assert "rounding float32 cpu" in " ".join(page.one("table", class_="matrix")["text"].split())


def test_the_columns_of_the_matrix_are_in_the_order_of_the_checks(parse):
    ran = [Case("dense", check) for check in ("twin", "forward", "own", "gradient")]
    table = parse(render(Run.of(*ran))).one("table", class_="matrix")["text"]
    places = [table.index(name) for name in ("forward", "gradient", "twin", "own")]
    assert places == sorted(places)


def test_oracles_that_disagree_are_told(panel):
    def case(value):
        return Case(
            "dense",
            oracles=[
                OracleRecord("difference", "W", 1.0, 1e-9),
                OracleRecord("complex step", "W", value, 1e-15),
            ],
        )

    assert "No two differ" in panel("oracles", case(1 + 5e-10))
    told = panel("oracles", case(1.001))
    assert "1 pair of oracles differs" in told
    assert "dense::" in told


def told_of(subject, check, name, value, example=0):
    return Case(subject, check, oracles=[OracleRecord(name, "W", value, 1e-12, example)])


def test_oracles_of_several_checks_are_compared_where_they_speak_of_one_derivative(panel):
    def shown(example):
        return panel(
            "oracles",
            told_of("dense", "gradient", CLAIM, 1.0),
            told_of("dense", "twin", "twin", 1.5, example),
            told_of("other", "twin", "twin", 7.0),
        )

    assert "The claim differs from them in 1 subject" in shown(0)
    assert "the claim and twin 1" in shown(0)
    assert "The claim" not in shown(1)


def test_a_pair_of_oracles_is_one_pair_in_either_order(panel):
    told = panel(
        "oracles",
        told_of("a", "gradient", "twin", 1.0),
        told_of("a", "twin", "finite difference", 1.0),
        told_of("b", "gradient", "finite difference", 2.0),
        told_of("b", "twin", "twin", 2.0),
    )
    assert "finite difference and twin 2" in told


def test_what_is_zero_to_rounding_agrees(panel):
    both = [OracleRecord(CLAIM, "W", 0.0, 0.0), OracleRecord("twin", "W", 1e-17, 1e-15)]
    assert "The claim agrees" in panel("oracles", Case("dense", oracles=both))


def test_oracles_explains_itself_where_there_is_only_one(panel):
    assert "One oracle was used" in panel("oracles", Case("dense"))


def test_detectable_names_the_weakest_check_and_the_shapes(panel):
    told = panel(
        "detectable",
        Case("dense", "sharp", detectable={"x": Detectable(1e-12, 1e-11)}),
        Case(
            "dense",
            "blunt",
            detectable={"x": Detectable(1e-3, 1e-2)},
            coverage=Coverage(dims={"batch": {"0": 1, "7": 2}}),
        ),
        Case("dense", "low", "float32", detectable={"x": Detectable(0.1, 0.5)}),
    )
    row = told[told.index("dense ✓") :]
    assert "1e-12 1e-11 blunt batch 0 to 7" in row


def test_detectable_says_where_nothing_was_recorded(panel):
    assert "No check recorded" in panel("detectable", Case("dense"))


def test_coverage_counts_sizes_kinks_discards_and_remarks(panel):
    coverage = Coverage(
        dims={"units": {"0": 3, "5": 4}}, kinks=2, masks={"all masked": 6}, status={"judged": 9}
    )
    told = panel(
        "coverage",
        Case("lstm", coverage=coverage, examples=9, discards=[Discard("no time step", 2)]),
        Case("lstm", "masks", coverage=coverage, remarks=["shares memory"]),
    )
    expected = [
        "2 sizes, most often 5 (8)",
        "4 examples hold the points where kinks lie",
        "all masked",
        "2 examples were discarded",
        "no time step",
        "Shares memory",
    ]
    assert [words for words in expected if words not in told] == []


def test_distances_go_from_near_to_far_and_draws_have_plain_names(panel):
    coverage = Coverage(
        distance={"none within 1": 9, "1": 4, "1e-3": 2, "at the kink": 3},
        origin={"during shrink phase": 5},
        status={"discarded": 2},
    )
    told = panel("coverage", Case("relu", coverage=coverage))
    places = [told.index(f"{name} {n}") for name, n in
              (("at the kink", 3), ("1e-3", 2), ("1", 4), ("none within 1", 9))]  # fmt: skip
    assert places == sorted(places)
    assert "shrinking 5" in told
    assert "given up 2" in told


def test_a_missed_fault_is_told_with_its_input(panel):
    told = panel("power", Power("dense", "transposed", False, "", "W"))
    assert "transposed in W of dense" in told


def test_messages_that_differ_only_in_numbers_and_names_are_told_once(panel):
    cases = [
        Case(f"c{n}", discards=[Discard(f"a kernel of {n} is too long", n)],
             remarks=[f"{n} examples left `w{n}` unjudged"])
        for n in (2, 3)
    ]  # fmt: skip
    told = panel("coverage", *cases)
    assert "a kernel of 3 is too long and 1 like it 5" in told
    assert "2 examples left w2 unjudged and 1 like it c2 and c3" in told


def test_power_lists_the_missed_faults(panel):
    told = panel(
        "power", Power("dense", "transposed", True, "gradient"), Power("dense", "detached")
    )
    assert "2 faults planted in 1 subject (dense), 1 caught" in told
    assert "detached in dense" in told
    assert "Missed" not in panel("power", Power("dense", "transposed", True, "gradient"))


def test_sections_show_text_table_curves_and_formulas(parse):
    section = Section(
        "Momentum",
        "It converges.",
        Table(["rate", "steps"], [[0.1, 12], ["0.2", None]]),
        [Series("loss", [], [1.0, 0.5, 0.25])],
        [
            Entry("relu", r"\frac{\partial L}{\partial x}", "0 at 0", "(000)", "relu*"),
            Entry("gone", "", "", ""),
        ],
        log=True,
    )
    run = Run.of(section, Case("relu_1", verdict="correct"), Case("relu_2", verdict="broken"))
    page = parse(render(run))
    told = " ".join(page.panel("sections").split())
    for words in ("Momentum", "It converges.", "0.1 12", "loss from 1 to 0.25", "0 at 0", "(000)",
                  "⊘ broken", "1 case of 2 correct", "gone not in this run"):  # fmt: skip
        assert words in told
    assert page.all("mfrac")


def test_runs_are_compared_over_time_only_where_there_are_several(parse):
    one = [RunInfo(id="a", started="2026-01-01T00:00:00"), Case("x"), End(3.0)]
    two = [RunInfo(id="b", started="2026-01-02T00:00:00"), Case("x", verdict="wrong"), End(4.0)]
    assert not parse(render(Run.of(*one))).all("section", id="trend")
    told = parse(render(Run.of(*one, *two))).panel("trend")
    assert "2 runs merged" in told
    assert "failures from 0 to 1" in told


def test_slowest_lists_the_slowest_first(panel):
    told = panel("slowest", Case("quick", seconds=0.1), Case("slow", seconds=9.0))
    assert told.index("slow::") < told.index("quick::")
    assert "9.1 s" in told


def test_environment_tells_stale_known_failures(panel):
    used = RunInfo(known_failures=[KnownFailure("a::*", "no last state", 2)])
    stale = RunInfo(known_failures=[KnownFailure("b::*", "was fixed", 0)])
    assert "excuses nothing" not in panel("environment", used)
    assert "1 entry excuses nothing" in panel("environment", stale)
    assert "was fixed" in panel("environment", stale)


def test_environment_tells_why_checks_did_not_apply(panel):
    told = panel("environment", Case("relu", "masks", verdict="skipped", reason="takes no mask"))
    assert "1 check did not apply" in told
    assert "takes no mask" in told
