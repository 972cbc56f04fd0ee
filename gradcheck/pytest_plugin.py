"""The pytest plugin: options, one item per subject and check, records, page and summary.

Nothing is imported here that a project without gradient checks would pay for.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gradcheck.session import Session

OPTIONS = {
    "report": ("DIR", "write index.html, results.jsonl and artifacts/ into DIR"),
    "device": ("cpu|cuda|all", "where subjects and their twins run (cpu)"),
    "profile": ("quick|ci|thorough", "how much is tried (ci)"),
    "seed": ("N", "repeat a run; a fresh one is drawn otherwise, and printed"),
    "known-failures": ("FILE", "TOML or JSON mapping of subject::check::dtype::device to reason"),
}
KEY: pytest.StashKey[Session] = pytest.StashKey()
SEED: pytest.StashKey[int] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gradcheck", "gradient verification")
    for name, (metavar, told) in OPTIONS.items():
        dest = f"gradcheck_{name.replace('-', '_')}"
        group.addoption(f"--gradcheck-{name}", dest=dest, metavar=metavar, default=None, help=told)
        parser.addini(dest, told, default=None)
    group.addoption(
        "--gradcheck-layer",
        dest="gradcheck_layer",
        metavar="MODULE:OBJECT",
        action="append",
        default=[],
        help="verify this layer without a test file",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "gradcheck_subjects(family): set by parametrize_with_checks")
    # Settings that cannot be used are said before anything is collected.
    names = [f"gradcheck_{name.replace('-', '_')}" for name in OPTIONS]
    if any(config.getoption(name) is not None or config.getini(name) for name in names):
        session_of(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Every worker of a run draws from the same seed."""
    node.workerinput["gradcheck_seed"] = seed_of(node.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """What a worker counted, added up where the summary is written."""
    told = getattr(node, "workeroutput", {}).get("gradcheck")
    if told is not None:
        session_of(node.config).add(told)


def seed_of(config: pytest.Config) -> Any:
    """The seed that was asked for, or one drawn once for this run."""
    given = config.getoption("gradcheck_seed") or config.getini("gradcheck_seed")
    if given:
        return given
    if hasattr(config, "workerinput"):
        return config.workerinput["gradcheck_seed"]
    if SEED not in config.stash:
        config.stash[SEED] = secrets.randbelow(2**31)
    return config.stash[SEED]


def session_of(config: pytest.Config) -> Session:
    """This run's Session, made when the first subject is met."""
    if KEY not in config.stash:
        from gradcheck.errors import GradcheckError
        from gradcheck.session import Session

        try:
            config.stash[KEY] = Session.of(config)
        except GradcheckError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[KEY]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("gradcheck_subjects")
    if mark is None:
        return
    from gradcheck.items import items_of

    names = list(metafunc.fixturenames[:2])
    session = session_of(metafunc.config)
    items = items_of(mark.args[0], session)
    metafunc.parametrize(names, [i[1:] for i in items], ids=[i[0] for i in items])


def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    for path in config.getoption("gradcheck_layer"):
        from gradcheck.items import layer_items

        items.extend(layer_items(path, session, session_of(config)))


@pytest.fixture
def section(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that sends a section to the report: title, text, table, series, log."""
    return session_of(request.config).section


@pytest.fixture
def planted(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A function that plants faults in a subject and fails where one is missed: for the report."""
    return session_of(request.config).planted


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """Failed verdicts get a section of their own, not a truncated assertion."""
    outcome: Any = yield
    report = outcome.get_result()
    if call.excinfo is not None and call.when == "call":
        from gradcheck.errors import GradientError

        if isinstance(call.excinfo.value, GradientError):
            told = str(call.excinfo.value)
            report.longrepr = told.splitlines()[0]
            report.sections.append(("gradcheck", told))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    # With workers, one that met a subject has told it: pytest_testnodedown.
    if KEY not in session.config.stash:
        return
    own = session_of(session.config)
    failed = own.finish(int(exitstatus), _is_worker(session.config))
    if _is_worker(session.config):
        session.config.workeroutput["gradcheck"] = own.told()  # type: ignore[attr-defined]
    if failed and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if KEY not in config.stash or _is_worker(config):
        return
    lines = session_of(config).summary()
    if lines:
        terminalreporter.section("gradcheck")
        for line in lines[:10]:
            terminalreporter.write_line(line)


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def worker_id() -> str:
    """The name that xdist gave this process, "main" without it."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")
