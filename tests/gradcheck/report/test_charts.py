"""Charts: a title, a description, a table with the very numbers, and marks where they belong."""

import math
import re

import pytest

from gradcheck.records import (
    ArrayRecord,
    Case,
    Evidence,
    FindingRecord,
    KinkRecord,
    LevelRecord,
    Run,
    Series,
)
from gradcheck.report import render
from gradcheck.report.charts import (
    bars,
    columns,
    curves,
    heat_maps,
    histogram,
    kink_picture,
    ranges,
    step_plot,
    thumbnail,
)
from gradcheck.report.scales import Scale, decades, linear

LEVELS = [
    LevelRecord(2.0**-4, 1.0, 1e-6, 1e-15),
    LevelRecord(2.0**-9, 1.0, 1e-13, 1e-13, True),
    LevelRecord(2.0**-14, 1.0, 1e-13, 1e-10),
]


def matrix(rows):
    return ArrayRecord([len(rows), len(rows[0])], "float64", rows)


EYE, SHIFTED = matrix([[1.0, 0.0], [0.0, 1.0]]), matrix([[0.0, 1.0], [1.0, 0.0]])
CHARTS = {
    "steps": lambda: step_plot(LEVELS, 3.0),
    "heat": lambda: heat_maps(EYE, SHIFTED),
    "kink": lambda: kink_picture(KinkRecord(0.0, 1.0, 0.5, 0.5, 1)),
    "histogram": lambda: histogram([(0.1, False), (1e6, True)]),
    "curves": lambda: curves("loss", [Series("a", [], [1.0, 2.0])]),
    "ranges": lambda: ranges("seen", {"gradient": [1e-9, 1e-8]}, "error"),
    "bars": lambda: bars("masks", [("all", 3), ("none", 1)]),
    "columns": lambda: columns("batch", [("0", 3), ("1", 1)], "size"),
}


@pytest.mark.parametrize("name", CHARTS)
def test_each_chart_has_a_title_a_description_and_its_numbers(name):
    chart = CHARTS[name]()
    assert chart.title
    assert chart.rows
    assert all(len(row) == len(chart.columns) for row in chart.rows)
    for picture in chart.pictures:
        svg = picture.svg("p1")
        assert 'role="img" aria-labelledby="p1t p1d"' in svg.replace("'", '"')
        assert f'<title id="p1t">{picture.title}</title>' in svg
        assert len(picture.description) > 10
        assert not re.search(r"\b(nan|inf)\b", str(picture.shapes))


def test_the_step_plot_says_how_far_the_claim_is_and_marks_the_step_taken():
    chart = step_plot(LEVELS, 3.0)
    assert "The step 0.00195 was taken" in chart.description
    assert "The claim is 2 away, 1e13 times that error" in chart.description
    assert [row[4] for row in chart.rows] == [False, True, False]
    assert "mean of both slopes" in step_plot(LEVELS, 3.0, at_kink=True).description


@pytest.mark.parametrize("levels", [[], LEVELS[:1], [LevelRecord(0.0), LevelRecord(math.nan)]])
def test_no_step_plot_of_less_than_two_levels(levels):
    assert step_plot(levels, 1.0) is None


def test_heat_maps_show_where_and_how_much():
    chart = heat_maps(matrix([[1.0, 2.0], [3.0, 4.0]]), matrix([[1.0, 3.0], [3.0, 4.0]]))
    assert "1 of 4 entries differ" in chart.description
    assert chart.rows[0] == ("[0, 1]", 2.0, 3.0, 1.0, 1.5)
    rings = re.search(r'd="([^"]*)" class="ring"', str(chart.pictures[1].shapes))
    assert rings.group(1).count("M") == 1


def test_heat_maps_draw_the_window_around_the_worst_entry_of_a_large_array():
    zeros = [[0.0] * 40 for _ in range(25)]
    wrong = [row[:] for row in zeros]
    wrong[24][39] = 1.0
    chart = heat_maps(matrix(zeros), matrix(wrong))
    assert chart.rows[0][0] == "[24, 39]"
    assert "Drawn: 12 rows and 16 columns" in chart.description
    assert "d10" in str(chart.pictures[2].shapes)


@pytest.mark.parametrize("shape", [[6], [2, 3], [1, 2, 3], [3, 2, 1]])
def test_heat_maps_name_the_index_in_the_arrays_own_shape(shape):
    values = list(range(6))

    def nest(flat, dims):
        if len(dims) == 1:
            return flat
        step = len(flat) // dims[0]
        return [nest(flat[k : k + step], dims[1:]) for k in range(0, len(flat), step)]

    wrong = [*values[:5], 99]
    chart = heat_maps(
        ArrayRecord(shape, "float64", nest(values, shape)),
        ArrayRecord(shape, "float64", nest(wrong, shape)),
    )
    assert chart.rows[0][0] == str([size - 1 for size in shape])


@pytest.mark.parametrize(
    "pair",
    [
        (None, EYE),
        (EYE, matrix([[1.0, 2.0]])),
        (ArrayRecord([2], "float64", None, "a.npz"), ArrayRecord([2], "float64", [1.0, 2.0])),
        (ArrayRecord([0], "float64", []), ArrayRecord([0], "float64", [])),
    ],
)
def test_no_heat_map_of_what_cannot_be_laid_over(pair):
    assert heat_maps(*pair) is None
    assert thumbnail(*pair) is None


def test_heat_maps_take_nan_infinities_and_complex_numbers():
    chart = heat_maps(matrix([[1.0, math.inf], [0.0, 2j]]), matrix([[math.nan, 1.0], [0.0, 1.0]]))
    assert "dn" in str(chart.pictures[1].shapes)
    assert chart.rows[0][0] in ("[0, 0]", "[0, 1]")


def test_where_nothing_was_expected_nothing_is_wrong():
    expected, returned = matrix([[math.nan, 0.0]]), matrix([[9.0, 0.5]])
    chart = heat_maps(expected, returned)
    assert "1 of 2 entries differ; the largest difference is at [0, 1]" in chart.description
    assert "Grey: 1 entry of which nothing was expected" in chart.description


@pytest.mark.parametrize(
    ("kink", "words"),
    [
        (KinkRecord(0.0, 1.0, 0.5, 0.5), "lies between them (alpha = 0.5)"),
        (KinkRecord(0.0, 1.0, 1.0, 1.0), "is the right slope"),
        (KinkRecord(0.0, 1.0, 1.2, 1.2), "lies outside"),
        (KinkRecord(1.0, 1.0, 0.0, math.nan, point_defect=True), "a defect at a single point"),
        (KinkRecord(0.0, 1.0, 1.0, 1.0, convention="alpha = 0"), "declared: alpha = 0"),
    ],
)
def test_the_kink_says_where_the_claim_lies(kink, words):
    assert words in kink_picture(kink).description


def test_at_a_kink_there_is_no_derivative_to_lay_over_the_claim():
    kink = KinkRecord(0.0, 1.0, 1.2)
    for found, shown in ((kink, False), (KinkRecord(1.0, 1.0, 0.0, point_defect=True), True)):
        evidence = Evidence(expected=EYE, returned=SHIFTED, kink=found)
        case = Case("relu", verdict="wrong_at_kink", findings=[FindingRecord(evidence=evidence)])
        assert ("entry by entry" in render(Run.of(case))) == shown


def test_no_kink_picture_without_slopes():
    assert kink_picture(KinkRecord()) is None


def test_the_histogram_counts_every_case_once():
    scores = [(0.0, False), (0.5, False), (1e-9, False), (30.0, True), (math.inf, True)]
    chart = histogram(scores)
    assert sum(row[2] for row in chart.rows) == 2
    assert sum(row[3] for row in chart.rows) == 2
    assert "not drawn: 1 case without any error" in chart.description
    assert histogram([]) is None


def test_curves_leave_out_what_a_logarithm_cannot_take():
    chart = curves("loss", [Series("a", [], [1.0, 0.0, -1.0, math.nan, 0.1])], log=True)
    assert [row[1] for row in chart.rows] == [0, 4]
    assert curves("loss", [Series("a", [], [0.0])], log=True) is None


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 1.0], [-3.0, 7.0], [1e-12, 3.0], [1e200, 1.0]])
def test_axes_have_a_few_ticks_inside_their_range(values):
    for make in (linear, decades):
        scale = make(values, 0.0, 100.0)
        ticks = scale.ticks()
        assert 1 <= len(ticks) <= 7
        assert all(-0.5 <= scale(value) <= 100.5 for value, _ in ticks)
        assert len({label for _, label in ticks}) == len(ticks)


def test_what_lies_outside_an_axis_is_clipped_to_it():
    scale = Scale(1.0, 100.0, 0.0, 10.0, log=True)
    assert [scale(value) for value in (0.0, -5.0, 10.0, 1e9)] == [0.0, 0.0, 5.0, 10.0]
