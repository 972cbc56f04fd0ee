"""Files: broken lines, several writers, full disks, unwritable folders."""

import multiprocessing
import os
from pathlib import Path

import pytest

from gradcheck.records import (
    Case,
    Coverage,
    End,
    KnownFailure,
    RecordError,
    Run,
    RunInfo,
    Section,
    Writer,
    encode,
    merge,
    observed,
    read,
    write_text,
)

GOOD = [encode(RunInfo(id="a", seed=1)), encode(Case("dense")), encode(Case("relu"))]
needs_full_disk = pytest.mark.skipif(
    not os.path.exists("/dev/full"), reason="this system has no /dev/full to stand for a full disk"
)


def lines_of(tmp_path, *lines, end="\n"):
    path = tmp_path / "results.jsonl"
    path.write_bytes(b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines))
    with path.open("ab") as file:
        file.write(end.encode())
    return path


BROKEN = {
    "cut off": ('{"record":"case","subj', "not JSON"),
    "not JSON": ("PASSED tests/test_x.py", "not JSON"),
    "another program's": ('{"event":"start"}', "not a record of gradcheck"),
    "of an unknown kind": ('{"record":"banana"}', "banana"),
    "a kind that is no text": ('{"record":["case"]}', "not a record of gradcheck"),
    "a list": ("[1, 2]", "no JSON object"),
    "without its subject": ('{"record":"case"}', "subject"),
    "with a wrong type": ('{"record":"case","subject":"x","score":"high"}', "score"),
    "with a deep wrong type": (
        '{"record":"case","subject":"x","findings":[{"evidence":{"levels":[{"step":null}]}}]}',
        "findings: evidence: levels: step",
    ),
    "with an array that does not fit its shape": (
        '{"record":"case","subject":"x","findings":[{"example":{"x":{"shape":[3],"values":[1]}}}]}',
        "1 numbers for shape [3]",
    ),
    "nested too deeply": ('{"record":' + "[" * 200_000, "nested too deeply"),
    "not UTF-8": (b'{"record":"case","subject":"\xff"}', "not UTF-8"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_line_is_named_and_nothing_else_is_lost(tmp_path, name):
    line, reason = BROKEN[name]
    run = read(lines_of(tmp_path, GOOD[0], GOOD[1], line, GOOD[2]))
    assert [case.subject for case in run.cases] == ["dense", "relu"]
    (unreadable,) = run.unreadable
    assert unreadable.line == 3
    assert reason in unreadable.reason


def test_an_integer_no_float_can_hold_is_infinite(tmp_path):
    line = '{"record":"case","subject":"x","score":-' + "9" * 400 + "}"
    (case,) = read(lines_of(tmp_path, line)).cases
    assert case.score == float("-inf")


def test_a_file_cut_in_its_last_line_is_truncated(tmp_path):
    run = read(lines_of(tmp_path, *GOOD[:2], GOOD[2][:-9], end=""))
    assert [(line.line, line.reason) for line in run.unreadable] == [(3, "truncated")]
    assert [case.subject for case in run.cases] == ["dense"]


def test_a_whole_last_line_without_its_newline_is_read(tmp_path):
    assert len(read(lines_of(tmp_path, *GOOD, end="")).cases) == 2


def test_unknown_fields_of_a_newer_schema_are_ignored(tmp_path):
    newer = '{"record":"case","subject":"gelu","colour":"blue","coverage":{"moons":{"1":2}}}'
    run = read(lines_of(tmp_path, *GOOD, newer))
    assert run.cases[-1].subject == "gelu"
    assert not run.unreadable


def test_blank_lines_and_a_byte_order_mark_do_no_harm(tmp_path):
    run = read(lines_of(tmp_path, b"\xef\xbb\xbf" + GOOD[0].encode(), "", "  ", GOOD[1]))
    assert (len(run.cases), run.unreadable) == (1, [])


def test_the_previous_file_stands_until_the_new_one_is_closed(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text("old\n")
    writer = Writer(path)
    writer.write(Case("dense"))
    assert path.read_text() == "old\n"
    writer.close()
    writer.close()
    assert path.read_text() == encode(Case("dense")) + "\n"
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_that_died_is_read_from_what_it_had_written(tmp_path):
    writer = Writer(tmp_path / "results-gw0.jsonl")
    writer.write(Case("dense"))
    with Writer(tmp_path / "results-gw1.jsonl") as other:
        other.write(Case("relu"))
    assert sorted(case.subject for case in read(tmp_path).cases) == ["dense", "relu"]
    writer.close()


def write_some(path, name, count):
    with Writer(path) as writer:
        writer.write(RunInfo(id="one", known_failures=[KnownFailure("x::*", "why", 1)]))
        for number in range(count):
            writer.write(Case(f"{name}{number}"))
        writer.write(Section("same for all"))
        writer.write(End(1.0))


def test_workers_write_at_once_and_are_merged_into_one_run(tmp_path):
    names = [f"w{number}" for number in range(4)]
    workers = [
        multiprocessing.get_context("spawn").Process(
            target=write_some, args=(tmp_path / f"results-{name}.jsonl", name, 50)
        )
        for name in names[:2]
    ]
    for worker in workers:
        worker.start()
    for name in names[2:]:
        write_some(tmp_path / f"results-{name}.jsonl", name, 50)
    for worker in workers:
        worker.join()
    parts = sorted(tmp_path.glob("results-*.jsonl"))
    merge(parts, tmp_path / "results.jsonl", remove=True)
    run = read(tmp_path)
    assert sorted(case.subject for case in run.cases) == sorted(
        f"{name}{number}" for name in names for number in range(50)
    )
    assert len(run.infos) == 1
    assert run.infos[0].known_failures == [KnownFailure("x::*", "why", 4)]
    assert run.sections == [Section("same for all")]
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]


def test_runs_of_several_machines_stay_apart(tmp_path):
    for name in "ab":
        with Writer(tmp_path / f"{name}.jsonl") as writer:
            writer.write(RunInfo(id=name, platform=name))
            writer.write(Case("dense"))
    run = read([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert [run.infos[case.run].platform for case in run.cases] == ["a", "b"]
    merge([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], tmp_path / "both.jsonl")
    assert read(tmp_path / "both.jsonl") == run


def test_cases_without_a_header_do_not_fall_to_the_next_file(tmp_path):
    (tmp_path / "a.jsonl").write_text(encode(Case("orphan")) + "\n")
    (tmp_path / "b.jsonl").write_text("\n".join(GOOD))
    run = read([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert [run.infos[case.run].id for case in run.cases] == ["", "a", "a"]


def test_a_folder_that_cannot_be_made_gives_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"^cannot write .*results.jsonl: .*$") as caught:
        Writer(tmp_path / "file" / "results.jsonl")
    assert "\n" not in str(caught.value)


@needs_full_disk
def test_a_full_disk_gives_one_line_and_the_previous_records_stay(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text(GOOD[1] + "\n")
    (tmp_path / "results.jsonl.part").symlink_to("/dev/full")
    writer = Writer(path)
    with pytest.raises(RecordError, match=r"cannot write .*No space left"):
        writer.write(Case("relu"))
    assert path.read_text() == GOOD[1] + "\n"


@needs_full_disk
def test_a_full_disk_leaves_the_previous_page_whole(tmp_path):
    page = tmp_path / "index.html"
    page.write_text("the previous page")
    (tmp_path / f".index.html.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(RecordError, match=r"cannot write .*index.html: No space left"):
        write_text(page, "x" * 100_000)
    assert page.read_text() == "the previous page"
    assert list(tmp_path.iterdir()) == [page]


@pytest.mark.parametrize("path", ["missing.jsonl", "."])
def test_what_cannot_be_read_is_named(tmp_path, path):
    with pytest.raises(RecordError, match=r"cannot read .*missing|no results\.jsonl in"):
        read(tmp_path / Path(path))


def test_hypothesis_observations_become_counts():
    told = [
        {"type": "test_case", "status": "passed", "how_generated": "during generate phase"},
        {"type": "test_case", "status": "gave_up", "how_generated": "during generate phase"},
        {"type": "info", "status": "n/a", "how_generated": ""},
    ]
    coverage = observed(told, Coverage(status={"judged": 1}))
    assert coverage.status == {"judged": 2, "discarded": 1}
    assert coverage.origin == {"during generate phase": 2}


def test_a_run_made_in_memory_is_the_run_that_is_read(tmp_path):
    records = [RunInfo(id="a"), Case("dense"), End(2.0)]
    with Writer(tmp_path / "results.jsonl") as writer:
        for record in records:
            writer.write(record)
    assert Run.of(*records) == read(tmp_path)
