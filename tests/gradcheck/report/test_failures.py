"""Grouping by cause, order, and which failures are shown in full."""

from gradcheck.records import ArrayRecord, Case, Evidence, FindingRecord, LevelRecord
from gradcheck.report.failures import group_failures


def wrong(subject, cause="", verdict="wrong", **finding):
    found = FindingRecord(kind=verdict, cause=cause, **finding)
    return Case(subject, "gradient", verdict=verdict, findings=[found])


def layer(subject, *inputs, cause="W: transposed", fault="transposed"):
    example = {name: ArrayRecord([1], "float64", [0.0]) for name in (*inputs, "cotangent")}
    return wrong(subject, cause, fault=fault, input=inputs[-1], example=example)


def test_one_cause_is_one_group_and_the_largest_comes_first():
    twice = [wrong("b", "bias"), Case("b", "twin", verdict="wrong",
             findings=[FindingRecord("wrong", cause="bias")])]  # fmt: skip
    groups = group_failures([wrong("a", "leak"), *twice])
    assert [(group.cause, group.subjects) for group in groups] == [("bias", ["b"]), ("leak", ["a"])]


def test_layers_that_share_no_more_than_the_words_are_two_mistakes():
    raises = [wrong(name, "vjp raises TypeError", "broken") for name in ("relu", "conv")]
    assert len(group_failures(raises)) == 2
    flipped = [layer(name, "x", cause="x: sign flipped") for name in ("relu", "tanh")]
    assert len(group_failures(flipped)) == 2


def test_layers_with_the_same_inputs_and_the_same_named_fault_share_it():
    same = [layer("dense relu", "x", "b", "W"), layer("dense tanh", "x", "b", "W")]
    (group,) = group_failures(same)
    assert group.subjects == ["dense relu", "dense tanh"]
    assert len(group_failures([*same, layer("bilinear", "x", "y", "W")])) == 2
    assert len(group_failures([same[0], layer("dense", "x", "b", "W", fault="scaled")])) == 2
    assert len(group_failures([layer(n, "x", "b", "W", fault="") for n in "ab"])) == 2


def test_without_a_cause_subject_kind_fault_and_input_are_one():
    cases = [wrong("a", input="W", fault="sign"), wrong("a", input="W", fault="sign")]
    assert len(group_failures(cases)) == 1
    assert len(group_failures([*cases, wrong("a", input="b", fault="sign")])) == 2


def test_one_fault_in_one_input_is_one_mistake_however_its_checks_tell_it():
    told = [("leaks into scores", "scores"), ("ignores keep", "scores"), ("ignores keep", "values")]
    cases = [wrong("a", cause, fault="mask leak", input=name) for cause, name in told]
    assert len(group_failures(cases[:2])) == 1
    assert len(group_failures([cases[0], cases[2]])) == 2
    assert len(group_failures([cases[0], cases[2], cases[1]])) == 1
    assert len(group_failures([cases[0], wrong("b", "x", fault="mask leak", input="scores")])) == 2


def test_wrong_comes_before_inconclusive():
    groups = group_failures([wrong("a", "n", "inconclusive"), wrong("b", "w")])
    assert [group.first.kind for group in groups] == ["wrong", "inconclusive"]


def test_the_order_of_the_page_is_not_that_of_the_records():
    cases = [wrong("b", "one"), wrong("a", "two"), wrong("c", "three")]
    for shuffled in (cases, cases[::-1]):
        assert [g.first.case.subject for g in group_failures(shuffled)] == ["a", "b", "c"]


def test_the_most_telling_failure_leads_its_group():
    large = {"x": ArrayRecord([100], "float64", [0.0] * 100)}
    levels = Evidence(levels=[LevelRecord(0.1)])
    bare = wrong("a", "c", message="bare")
    big = wrong("a", "c", message="big", fault="sign", example=large, evidence=levels)
    best = wrong("a", "c", message="best", fault="sign", evidence=levels)
    (group,) = group_failures([bare, big, best])
    assert [failure.message for failure in group.failures] == ["best", "big", "bare"]


def test_every_group_is_in_full_before_any_second_failure_is():
    cases = [wrong("a", "one") for _ in range(9)] + [wrong("b", "two"), wrong("c", "three")]
    groups = group_failures(cases, in_full=4)
    assert [len(group.full) for group in groups] == [2, 1, 1]


def test_a_case_without_findings_is_a_failure_all_the_same():
    (group,) = group_failures([Case("a", verdict="timeout", reason="60 s")])
    assert (group.first.kind, group.first.message) == ("timeout", "60 s")


def test_correct_skipped_and_known_failures_are_none():
    kinds = ("correct", "skipped", "known_failure")
    assert group_failures(wrong("a", verdict=kind) for kind in kinds) == []


def test_anchors_are_unique_and_do_not_move_when_another_failure_appears():
    first = group_failures([wrong("a b", input="W")])
    both = group_failures([wrong("0"), wrong("a b", input="W"), wrong("a-b", input="W")])
    names = [failure.id for group in both for failure in group.failures]
    assert first[0].id in names
    assert len(set(names)) == 3
