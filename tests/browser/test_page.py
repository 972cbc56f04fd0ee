"""The page in a browser: from disk, without network, with and without scripts."""

import pytest

from gradcheck.report.panels import PANELS

TRANSPOSED = "The gradient of W is transposed"
BACK = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
NAMES = ("passing", "failing")


def colour(tab):
    return tab.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("name", NAMES)
def test_it_opens_from_disk_asks_for_nothing_and_has_no_error(visit, pages, name):
    tab = visit(name)
    tab.wait_for_load_state()
    assert tab.said == [pages[name]]


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_is_visible_and_has_content(visit, name):
    tab = visit(name)
    shown = set(tab.locator("section.panel").evaluate_all("all => all.map(panel => panel.id)"))
    expected = {panel.id for panel in PANELS} - {"trend"}
    assert shown == expected - ({"changes"} if name == "passing" else set())
    for panel in shown:
        box = tab.locator(f"#{panel}").bounding_box()
        assert box["height"] > 80, panel
        assert box["width"] > 600, panel


@pytest.mark.parametrize("width", [400, 768, 1280, 2000])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wider_than_the_window(visit, name, width):
    assert visit(name, width=width).evaluate(BACK)


@pytest.mark.parametrize("width", [400, 1280])
def test_the_first_screen_names_the_first_mistake_its_place_and_its_reason(visit, width):
    tab = visit("failing", width=width)
    for words in ("Three mistakes", TRANSPOSED, "expected -3", "it is x.T @ cotangent"):
        box = tab.locator("#verdict").get_by_text(words).first.bounding_box()
        assert box["y"] + box["height"] < 900, words


def test_without_scripts_the_failures_can_be_read(visit):
    tab = visit("failing", java_script_enabled=False)
    failures = tab.locator("#failures")
    assert failures.get_by_text(TRANSPOSED).first.is_visible()
    assert failures.locator("pre", has_text="dense_backward(cotangent").first.is_visible()
    assert failures.get_by_text("it is x.T @ cotangent").first.is_visible()
    assert failures.locator("svg").first.is_visible()
    assert not tab.locator("#filter").is_visible()
    assert not tab.locator("[data-copy]").first.is_visible()
    tab.locator("summary", has_text="Numbers").first.click()
    assert tab.locator("details.numbers[open] table").first.is_visible()


def test_the_filter_leaves_what_matches_and_gives_the_rest_back(visit):
    tab = visit("failing")
    tab.fill("#filter", "masked_softmax")
    assert tab.locator("details.group:visible").count() == 1
    assert tab.locator("#matrix tbody tr:visible").count() == 1
    assert " of " in tab.inner_text("#found")
    tab.press("#filter", "Escape")
    assert tab.locator("details.group:visible").count() == 3
    assert tab.inner_text("#found") == ""


def test_a_verdict_of_the_legend_filters_failures_and_matrix(visit):
    tab = visit("failing")
    chip = tab.locator("[data-verdict=wrong_at_kink]")
    chip.click()
    assert tab.locator("details.group:visible").count() == 1
    assert tab.locator("#matrix tbody tr:visible").count() == 3
    assert chip.get_attribute("aria-pressed") == "true"
    chip.click()
    assert tab.locator("details.group:visible").count() == 3


def test_a_column_is_sorted_by_number_and_back(visit):
    tab = visit("failing")
    table = tab.locator("#slowest table.sort")
    head = table.locator("th", has_text="seconds")

    def seconds():
        return [float(text) for text in table.locator("tbody td:nth-child(2)").all_inner_texts()]

    head.get_by_role("button").click()
    assert seconds() == sorted(seconds())
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").click()
    assert seconds() == sorted(seconds(), reverse=True)


def test_failures_fold_and_unfold(visit):
    tab = visit("failing")
    fold = tab.locator("[data-fold]")
    fold.click()
    assert tab.locator("details.group[open]").count() == 0
    fold.click()
    assert tab.locator("details.group[open]").count() == 3
    tab.locator("details.group > summary").first.click()
    assert tab.locator("details.group[open]").count() == 2


def test_a_script_is_copied_as_it_is(visit):
    tab = visit("failing")
    script = tab.locator("#failures .script pre").first.text_content()
    tab.locator("#failures [data-copy]").first.click()
    tab.get_by_text("Copied").wait_for()
    tab.evaluate("document.body.insertAdjacentHTML('beforeend', '<textarea id=into></textarea>')")
    tab.focus("#into")
    tab.keyboard.press("Control+V")
    assert tab.input_value("#into") == script
    assert "import numpy as np\n" in script


def test_a_cause_of_the_first_screen_leads_to_its_failure(visit):
    tab = visit("failing")
    tab.locator("a.cause", has_text="At the kink").click()
    assert tab.url.endswith("#f-relu-kinks-float64-cpu-x")
    assert (
        tab.evaluate("Math.abs(document.querySelector(':target').getBoundingClientRect().y)") < 300
    )


def test_a_deep_link_opens_what_its_failure_is_folded_into(visit):
    tab = visit("failing", "#f-dense-twin-float64-cpu-W")
    target = tab.locator("#f-dense-twin-float64-cpu-W")
    assert target.get_attribute("open") is not None
    assert target.locator("pre").first.is_visible()
    tab.wait_for_timeout(200)
    assert 0 <= target.bounding_box()["y"] < 900


def test_dark_follows_the_system_and_the_button_and_is_kept(visit):
    light, dark = colour(visit("passing")), colour(visit("passing", color_scheme="dark"))
    assert light != dark
    tab = visit("passing")
    tab.click("#theme")
    assert colour(tab) == dark
    assert "dark" in tab.get_attribute("#theme", "aria-label")
    tab.reload()
    assert colour(tab) == dark
    tab.click("#theme")
    assert colour(tab) == light


def test_the_keyboard_alone_reaches_a_failure(visit):
    tab = visit("failing")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    assert "cause" in tab.evaluate("document.activeElement.className")
    tab.keyboard.press("Enter")
    assert "#f-dense-" in tab.url
    tab.keyboard.press("/")
    assert tab.evaluate("document.activeElement.id") == "filter"


def test_in_print_everything_of_a_failure_is_there(visit):
    tab = visit("failing")
    tab.emulate_media(media="print")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert not tab.locator(".rail").is_visible()
    assert tab.locator("details.group pre").first.is_visible()
    assert tab.locator("details.failure pre").first.is_visible()
    assert len(tab.pdf()) > 20_000


def test_the_page_keeps_to_its_script_when_a_name_brings_its_own(chromium, tmp_path):
    from gradcheck.records import Case, FindingRecord, Run
    from gradcheck.report import write_page

    nasty = (
        "</script><img src=x onerror=\"document.title='taken'\"><script>document.title=1</script>"
    )
    finding = FindingRecord(message=nasty, script=nasty, hint=nasty, artifacts=[nasty])
    write_page(Run.of(Case(nasty, verdict="wrong", findings=[finding])), tmp_path / "page.html")
    context = chromium.new_context(offline=True)
    tab = context.new_page()
    tab.goto((tmp_path / "page.html").as_uri())
    assert tab.title() == "One mistake · gradcheck"
    assert tab.locator("img").count() == 0
    assert tab.locator("h3", has_text="<img src=x").first.is_visible()
    context.close()
