"""Grouping by cause, order, and which failures are shown in full."""

from gradcheck.records import ArrayRecord, Case, Evidence, FindingRecord, LevelRecord
from gradcheck.report.failures import group_failures


def wrong(subject, cause="", verdict="wrong", **finding):
    found = FindingRecord(kind=verdict, cause=cause, **finding)
    return Case(subject, "gradient", verdict=verdict, findings=[found])


def test_one_cause_is_one_group_and_the_largest_comes_first():
    groups = group_failures([wrong("a", "leak"), wrong("b", "bias"), wrong("c", "bias")])
    assert [(group.cause, group.subjects) for group in groups] == [
        ("bias", ["b", "c"]),
        ("leak", ["a"]),
    ]


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


def test_the_most_telling_failure_leads_its_group():
    large = {"x": ArrayRecord([100], "float64", [0.0] * 100)}
    levels = Evidence(levels=[LevelRecord(0.1)])
    bare = wrong("bare", "c")
    big = wrong("big", "c", fault="sign", example=large, evidence=levels)
    best = wrong("best", "c", fault="sign", evidence=levels)
    (group,) = group_failures([bare, big, best])
    assert [failure.case.subject for failure in group.failures] == ["best", "big", "bare"]


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
