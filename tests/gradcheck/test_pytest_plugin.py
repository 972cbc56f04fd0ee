"""The plugin as a user's project meets it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LAYERS = """
    import numpy as np
    from gradcheck import Subject, parametrize_with_checks

    sine = Subject("sine", np.sin, lambda u, x: {"x": u * np.cos(x)}, {"x": "n"})
    wrong = Subject("wrong", np.sin, lambda u, x: {"x": u * np.sin(x)}, {"x": "n"})
"""
GOOD = (
    LAYERS
    + """
    @parametrize_with_checks([sine])
    def test_layers(subject, check):
        check(subject)
"""
)
BAD = (
    LAYERS
    + """
    @parametrize_with_checks([sine, wrong])
    def test_layers(subject, check):
        check(subject)
"""
)
KNOWN = (
    LAYERS
    + """
    @parametrize_with_checks([sine, wrong], known_failures={%s})
    def test_layers(subject, check):
        check(subject)
"""
)


def run(pytester, *arguments):
    # The plugin is installed as an entry point here or given by -p; randomly must not matter.
    return pytester.runpytest_subprocess(
        "-p", "gradcheck.pytest_plugin", "--gradcheck-profile=quick", *arguments
    )


def test_planted_faults_are_in_the_report_and_a_missed_one_fails(pytester):
    pytester.makepyfile(
        LAYERS
        + """
    def test_caught(planted):
        assert planted(sine, ["sign flipped"])

    def test_missed(planted, monkeypatch):
        from gradcheck import checks
        monkeypatch.setattr(checks, "select", lambda names: [checks.all_checks()["forward"]])
        planted(sine, ["sign flipped"])
"""
    )
    result = run(pytester, "--gradcheck-report=reports", "-p", "no:randomly")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*sign flipped*NOT CAUGHT*"])
    lines = (pytester.path / "reports" / "results.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    caught = [f.get("caught", False) for f in found if f["record"] == "power"]
    assert caught == [True, False]
    assert "Missed" in (pytester.path / "reports" / "index.html").read_text()


def test_one_item_per_check_with_stable_ids(pytester):
    pytester.makepyfile(GOOD)
    first = run(pytester, "--collect-only", "-q", "-p", "no:randomly")
    second = run(pytester, "--collect-only", "-q", "-p", "no:randomly")
    ids = [line for line in first.outlines if "::" in line]
    assert ids == [line for line in second.outlines if "::" in line]
    assert any("test_layers[sine::gradient::float64::cpu]" in line for line in ids)


def test_a_correct_layer_passes_and_the_report_is_written(pytester):
    pytester.makepyfile(GOOD)
    result = run(pytester, "--gradcheck-report=out", "--gradcheck-seed=5")
    assert result.ret == 0
    page = pytester.path / "out" / "index.html"
    assert "<html" in page.read_text(encoding="utf-8")
    lines = (pytester.path / "out" / "results.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["record"] for line in lines]
    assert kinds[0] == "run"
    assert kinds[-1] == "end"
    assert "case" in kinds
    assert json.loads(lines[0])["seed"] == 5
    result.stdout.fnmatch_lines(["*report: *index.html"])


def test_a_wrong_layer_fails_in_a_section_of_its_own(pytester):
    pytester.makepyfile(BAD)
    result = run(pytester, "--gradcheck-report=out")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*gradcheck*", "*wrong: the gradient of `x`*"])
    assert "runner.py" not in result.stdout.str()
    artifacts = {p.suffix for p in (pytester.path / "out" / "artifacts").iterdir()}
    assert artifacts == {".npz", ".json", ".py"}


def test_workers_write_one_report(pytester):
    pytester.makepyfile(BAD)
    result = run(pytester, "--gradcheck-report=out", "-n", "2", "--gradcheck-seed=3")
    assert result.ret == 1
    text = (pytester.path / "out" / "results.jsonl").read_text()
    runs = [line for line in text.splitlines() if json.loads(line)["record"] == "run"]
    assert len(runs) == 1
    # What was typed, and not how a worker is started.
    command = json.loads(runs[0])["command"]
    assert "--gradcheck-report=out" in command
    assert "-n 2" in command
    assert not list((pytester.path / "out").glob(".records*"))


def test_selection_by_keyword_last_failed_and_first_failure(pytester):
    pytester.makepyfile(BAD)
    assert run(pytester, "-k", "sine").ret == 0
    assert run(pytester, "-x").ret == 1
    again = run(pytester, "--lf", "-p", "no:randomly")
    again.assert_outcomes(failed=1)


def test_a_known_failure_is_excused(pytester):
    pytester.makepyfile(KNOWN % '"wrong::gradient::*": "the derivative of another function"')
    result = run(pytester)
    assert result.ret == 0, result.stdout.str()
    assert result.parseoutcomes()["xfailed"] == 1


def test_a_known_failure_that_passes_fails_the_run(pytester):
    pytester.makepyfile(
        KNOWN % '"wrong::gradient::*": "as above", "sine::gradient::*": "it passes"'
    )
    result = run(pytester)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*known failure 'sine::gradient::[*]' passes: remove it*"])


def test_a_known_failure_that_matches_nothing_fails_the_run(pytester):
    pytester.makepyfile(KNOWN % '"wrong::gradient::*": "as above", "cosine::*": "renamed"')
    result = run(pytester)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*known failure 'cosine::[*]' matches no item: remove it*"])


def test_workers_tell_what_they_counted(pytester):
    """Without a report, too: totals, causes and known failures that match nothing."""
    pytester.makepyfile(KNOWN % '"cosine::*": "renamed"')
    result = run(pytester, "-n", "2")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "*1 wrong (seed *",
            "*known failure 'cosine::[*]' matches no item: remove it*",
            "*wrong: the gradient of `x`*",
        ]
    )
    pytester.makepyfile(GOOD.replace("[sine]", '[sine], {"cosine::*": "renamed"}'))
    assert run(pytester, "-n", "2").ret == 1
    assert run(pytester, "-n", "2", "-k", "gradient").ret == 1


def test_a_file_of_known_failures_is_judged_by_whole_runs_alone(pytester):
    pytester.makepyfile(test_one=GOOD, test_two=BAD)
    pytester.path.joinpath("known.toml").write_text('"wrong::gradient::*" = "a reason"\n')
    known = "--gradcheck-known-failures=known.toml"
    assert run(pytester, known).ret == 0
    assert run(pytester, known, "test_one.py").ret == 0
    pytester.path.joinpath("test_two.py").unlink()
    assert run(pytester, known).ret == 1


def test_known_failures_from_a_file(pytester):
    pytester.makepyfile(BAD)
    pytester.path.joinpath("known.toml").write_text('"wrong::gradient::*" = "a reason"\n')
    assert run(pytester, "--gradcheck-known-failures=known.toml").ret == 0
    pytester.path.joinpath("known.toml").write_text('"wrong::gradient::*" = ""\n')
    result = run(pytester, "--gradcheck-known-failures=known.toml")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*'wrong::gradient::[*]' has no reason*"])


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--gradcheck-profile=slow", "*profile: 'slow', expected one of quick, ci, thorough*"),
        ("--gradcheck-device=tpu", "*'tpu', expected one of cpu, cuda, all*"),
        ("--gradcheck-seed=x", "*--gradcheck-seed='x' is not an integer*"),
        ("--gradcheck-known-failures=none.toml", "*none.toml*"),
    ],
)
def test_bad_options_are_one_line(pytester, option, said):
    pytester.makepyfile(GOOD)
    result = pytester.runpytest_subprocess("-p", "gradcheck.pytest_plugin", option)
    assert result.ret == 4
    result.stderr.fnmatch_lines([said])


def test_asking_for_cuda_without_a_device_is_an_error(pytester):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    pytester.makepyfile(GOOD)
    result = run(pytester, "--gradcheck-device=cuda")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*no CUDA device*"])


def test_a_layer_without_a_test_file(pytester):
    pytester.path.joinpath("layers.py").write_text(
        "import numpy as np\nfrom gradcheck import Subject\n"
        'sine = Subject("sine", np.sin, lambda u, x: {"x": u * np.cos(x)}, {"x": "n"})\n'
    )
    pytester.makepyfile("def test_nothing(): pass")
    result = run(pytester, "--gradcheck-layer=layers:sine")
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] > 5


def test_layers_of_the_command_line_are_selected_as_any_test(pytester):
    pytester.path.joinpath("layers.py").write_text(
        "import numpy as np\nfrom gradcheck import Subject\n"
        'wrong = Subject("wrong", np.sin, lambda u, x: {"x": u * np.sin(x)}, {"x": "n"})\n'
    )
    layer = ("--gradcheck-layer=layers:wrong", "-p", "no:randomly")
    whole = run(pytester, *layer).parseoutcomes()
    assert whole["failed"] == 1
    assert whole["passed"] > 5
    run(pytester, *layer, "--lf").assert_outcomes(failed=1)
    run(pytester, *layer, "-k", "linearity").assert_outcomes(passed=1)
    run(pytester, *layer, "-x").assert_outcomes(passed=4, failed=1)
    first = [
        line for line in run(pytester, *layer, "--collect-only", "-q").outlines if "::" in line
    ]
    assert "::wrong::gradient::float64::cpu" in first


def test_a_project_with_workers_that_does_not_use_it_imports_nothing(pytester):
    pytester.makepyfile("def test_nothing(): pass")
    pytester.makeconftest(
        """
        import sys
        def pytest_unconfigure(config):
            heavy = {"numpy", "gradcheck.session"} & set(sys.modules)
            print("heavy:", sorted(heavy))
        """
    )
    plain = ["-p", "gradcheck.pytest_plugin", "-p", "no:hypothesispytest", "-p", "no:randomly"]
    result = pytester.runpytest_subprocess(*plain, "-n", "1", "-s")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*heavy: [[][]]*"])


def test_sections_reach_the_records(pytester):
    pytester.makepyfile(
        GOOD
        + """
    def test_section(section):
        section("a curve", text="words", series=[{"name": "loss", "x": [0, 1], "y": [2, 1]}])
"""
    )
    assert run(pytester, "--gradcheck-report=out").ret == 0
    text = (pytester.path / "out" / "results.jsonl").read_text()
    assert any(json.loads(line).get("title") == "a curve" for line in text.splitlines())


def test_a_project_that_does_not_use_it_imports_nothing(pytester):
    pytester.makepyfile(
        """
        import sys
        def test_nothing_heavy_is_loaded():
            heavy = {"numpy", "hypothesis", "torch", "jax", "scipy"} & set(sys.modules)
            assert not heavy, heavy
        """
    )
    plain = ["-p", "gradcheck.pytest_plugin", "-p", "no:hypothesispytest", "-p", "no:randomly"]
    result = pytester.runpytest_subprocess(*plain)
    assert result.ret == 0, result.stdout.str()


def test_importing_the_package_is_light():
    code = "import sys, gradcheck; assert not {'numpy', 'hypothesis', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_step_summary_for_github(pytester, monkeypatch):
    summary = pytester.path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    pytester.makepyfile(BAD)
    run(pytester, "--gradcheck-report=out")
    assert "### gradcheck" in summary.read_text()
