"""Text and numbers as they are shown."""

import math

import pytest

from gradcheck.report.mathml import formula
from gradcheck.report.text import (
    apart,
    breakable,
    clean,
    duration,
    href,
    index_text,
    listing,
    middle,
    number,
    plural,
    prose,
    short,
    slug,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.25, "0.25"), (1e-9, "1e-9"), (3.14e20, "3.14e20"), (math.nan, "nan"),
        (-math.inf, "-inf"), (1 + 2j, "1+2j"), (1 - 0.5j, "1-0.5j"), (7, "7"), (True, "True"),
        (10**400, "inf"), (None, ""), (440.0, "440"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value, 6) == text


def test_two_numbers_are_shown_in_as_many_digits_as_tell_them_apart():
    assert apart(1.0, 2.0) == ("1", "2")
    assert apart(1.0, 1.00000001) == ("1", "1.00000001")
    assert apart(math.nan, math.nan) == ("nan", "nan")


@pytest.mark.parametrize(
    ("tricky", "text"),
    [
        ("a\x00b", "a␀b"), ("a\x1b[31m", "a␛[31m"), ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"), ("no\u200bwidth", "no\\u200bwidth"), ("two\nlines", "two\nlines"),
        ("\x85", "\\x85"), ("naïve ∂ 梯度", "naïve ∂ 梯度"),
    ],
)  # fmt: skip
def test_invisible_characters_become_visible_and_the_others_stay(tricky, text):
    assert clean(tricky) == text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("the `W` of <b>", "The <code>W</code> of &lt;b&gt;"),
        ("`keep` leaks", "<code>keep</code> leaks"),
        ("one ` alone", "One ` alone"),
        ("`a` and ` b", "<code>a</code> and ` b"),
        ("", ""),
        ("not -1.7e-16, 3 <", 'Not <span class="keep">-1.7e-16</span>, 3 &lt;'),
        ("-2.5. A float-64, 1-2", '<span class="keep">-2.5</span>. A float-64, 1-2'),
    ],
)
def test_a_sentence_begins_with_a_capital_and_backticks_are_code(text, html):
    assert prose(text) == html


def test_long_text_is_cut_and_says_how_long_it_was():
    assert clean("x" * 5000).endswith("… (5,000 characters, cut here)")
    assert len(short("x" * 5000, 50)) == 50


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("artifacts/dense W.npz", "./artifacts/dense%20W.npz"),
        ('a"><b.py', "./a%22%3E%3Cb.py"),
        ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
        ("../../etc/passwd", ""), ("/etc/passwd", ""), ("a\\..\\b", ""), ("a\x00b", ""), ("", ""),
        ("//host/share", ""),
    ],
)  # fmt: skip
def test_links_stay_beside_the_page(path, link):
    assert href(path) == link


def test_small_words():
    times = ["42 ms", "7 s", "2 min 10 s", "2 h 1 min"]
    assert [duration(seconds) for seconds in (0.042, 7.0, 130, 7300)] == times
    assert [index_text(i) for i in (None, (), [0, 1])] == ["", "the scalar", "[0, 1]"]
    assert [plural(n, "case") for n in (1, 1200)] == ["1 case", "1,200 cases"]
    assert middle("momentum, linear schedule", 12) == "momen…hedule"
    assert listing("abc") == "a, b and c"
    assert listing("abcdefgh", 2) == "a, b and 6 more"
    assert slug("a b", "<x>", "") == "a-b-x"
    assert breakable("a<b::c") == "a&lt;b::<wbr>c"


@pytest.mark.parametrize(
    ("latex", "mathml"),
    [
        (r"\frac{a}{b}", "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>"),
        ("x_i^2", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
        (r"\alpha \cdot g", "<mi>α</mi><mo>·</mo><mi>g</mi>"),
        (r"\sqrt{\sigma^2 + 1}", "<msqrt>"),
        (r"\hat{x}", "<mover"),
        (r"\text{if } x", "<mtext>if"),
        (r"\unheard", r"<mtext>\unheard</mtext>"),
    ],
)
def test_formulas_become_mathml(latex, mathml):
    assert mathml in formula(latex)


@pytest.mark.parametrize(
    "broken", ["{", "}", "x^", r"\frac", r"\frac{", "_", "^^^", "{" * 5000, "\\"]
)
def test_a_broken_formula_is_still_shown(broken):
    assert formula(broken).startswith("<math")
