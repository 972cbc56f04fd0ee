"""The command `gradcheck`: exit status 0 passed, 1 findings, 2 usage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from gradcheck.errors import GradcheckError, UsageError
from gradcheck.findings import PAGES, Report, require_suffix

PASSED, FOUND, USAGE = 0, 1, 2
OBJECT = "package.module:object"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; every error of use is one line on standard error and status 2."""
    arguments = _parser().parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except GradcheckError as error:
        print(f"gradcheck: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        return PASSED
    return status


class Parser(argparse.ArgumentParser):
    """One that says what is wrong in one line, as every error of use is said here."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"gradcheck: {message}: see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="gradcheck", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    _command(commands, "verify", _verify, "verify one layer", _verify_options)
    _command(commands, "power", _power, "plant faults in a layer: what is caught", _power_options)
    _command(commands, "campaign", _campaign, "verify many layers on many workers", _many_options)
    _command(commands, "report", _report, "rebuild the page from records", _report_options)
    _command(commands, "doctor", _doctor, "versions, devices and adapters that work here")
    return parser


def _command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    told: str,
    options: Callable[[argparse.ArgumentParser], None] | None = None,
) -> None:
    parser = commands.add_parser(name, help=told, description=told)
    parser.set_defaults(run=run)
    if options is not None:
        options(parser)


def _layer_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar=OBJECT, help="your layer, a Subject, or a class")
    parser.add_argument(
        "--inputs", nargs="+", metavar="NAME=SHAPE", help='such as x="batch features"'
    )
    parser.add_argument("--learning-rate", type=float, help="of a backward that updates in place")
    parser.add_argument("--examples", type=int, help="how many points and shapes are tried")
    parser.add_argument("--seed", type=int, help="repeats a run: every report ends with its seed")


def _verify_options(parser: argparse.ArgumentParser) -> None:
    _layer_options(parser)
    parser.add_argument("--seconds", type=float, help="a budget, and what one call may take")
    parser.add_argument(
        "--dtype", default="float64", help="float64, float32, float16, bfloat16 or complex128"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--checks", nargs="+", metavar="CHECK", help="these laws only")
    parser.add_argument("--report", metavar="FILE", help="a page (.html) or records (.jsonl)")


def _power_options(parser: argparse.ArgumentParser) -> None:
    _layer_options(parser)
    parser.add_argument("--report", metavar="DIR", help="add what was caught to the page in DIR")


def _many_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar=OBJECT)
    parser.add_argument("--workers", type=int, default=2, help="processes (2)")
    parser.add_argument("--examples", type=int, default=300, help="for each layer (300)")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--out", default="reports", metavar="DIR", help="where the page goes")
    parser.add_argument("--scheduler", help="address of a running Dask scheduler")


def _report_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders", nargs="*", default=["reports"], metavar="DIR", help="folders or files of records"
    )
    parser.add_argument(
        "--baseline", metavar="RESULTS.jsonl", help="an earlier run: the page says what changed"
    )
    parser.add_argument("--out", metavar="FILE.html", help="the page (index.html beside the first)")


def _verify(arguments: argparse.Namespace) -> int:
    from gradcheck import terminal
    from gradcheck.api import check

    if arguments.report:
        require_suffix(arguments.report, PAGES)
    found, options = _layer(arguments)
    with terminal.shown():
        report = check(
            found,
            _inputs(arguments.inputs),
            examples=arguments.examples,
            seconds=arguments.seconds,
            seed=arguments.seed,
            dtype=arguments.dtype,
            device=arguments.device,
            checks=arguments.checks,
            **options,
        )
    _something_ran(report)
    coloured = terminal.colours_wanted(sys.stdout)
    print(terminal.coloured(str(report)) if coloured else report)
    if arguments.report:
        print(f"  report: {report.save(arguments.report)}")
    return PASSED if report.passed else FOUND


def _something_ran(report: Report) -> None:
    """Raise UsageError where none of the checks that were asked for applies: that is no pass."""
    reasons = {name: outcome.not_run for name, outcome in report.outcomes.items()}
    if all(reasons.values()):
        why = "; ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise UsageError(f"checks: none of those asked for applies here: {why}")


def _power(arguments: argparse.Namespace) -> int:
    from gradcheck.adapters import adapt
    from gradcheck.emit import powers, save_powers
    from gradcheck.power import describe_power, power
    from gradcheck.power.planting import EXAMPLES

    if arguments.report:
        _require_folder(arguments.report)
    if arguments.examples is not None and arguments.examples < 1:
        raise UsageError(f"power: examples={arguments.examples!r}, expected a positive integer")
    found, options = _layer(arguments)
    subject = adapt(found, _inputs(arguments.inputs), **options)
    examples = EXAMPLES if arguments.examples is None else arguments.examples
    results = power(subject, seed=arguments.seed, examples=examples)
    print(describe_power(results))
    if arguments.report:
        folder = Path(arguments.report)
        save_powers(powers(subject.name, results), folder)
        print(f"  report: {_rebuilt([folder], folder / 'index.html')}")
    return PASSED if all(result.caught for result in results) else FOUND


def _campaign(arguments: argparse.Namespace) -> int:
    from gradcheck.campaign import campaign

    _require_folder(arguments.out)
    run = campaign(
        arguments.paths,
        workers=arguments.workers,
        examples=arguments.examples,
        seed=arguments.seed,
        folder=Path(arguments.out),
        scheduler=arguments.scheduler,
    )
    return FOUND if run.failures else PASSED


def _report(arguments: argparse.Namespace) -> int:
    if arguments.out:
        require_suffix(arguments.out, (".html", ".htm"))
    sources = [_records_of(folder) for folder in arguments.folders]
    beside = sources[0] if sources[0].is_dir() else sources[0].parent
    target = Path(arguments.out) if arguments.out else beside / "index.html"
    print(_rebuilt(sources, target, arguments.baseline))
    return PASSED


def _rebuilt(sources: list[Path], target: Path, baseline: str | None = None) -> Path:
    """Write the page of what files and folders hold; lines that cannot be read are told."""
    from gradcheck import records
    from gradcheck.report import write_page

    run = records.read(sources)
    if not (run.infos or run.cases or run.powers or run.sections):
        raise UsageError(f"report: {', '.join(map(str, sources))}: there is no record in it")
    before = records.read([_records_of(baseline)]) if baseline else None
    write_page(run, target, baseline=before)
    for skipped in run.unreadable:
        print(f"{skipped.path}:{skipped.line}: {skipped.reason}", file=sys.stderr)
    return target


def _doctor(arguments: argparse.Namespace) -> int:
    from gradcheck.doctor import report

    print(report())
    return PASSED


def _layer(arguments: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    from gradcheck.locate import locate

    options = {}
    if arguments.learning_rate is not None:
        options["learning_rate"] = arguments.learning_rate
    return locate(arguments.path), options


def _inputs(given: Sequence[str] | None) -> dict[str, str] | None:
    """{"x": "batch features"} from ["x=batch features"]."""
    if given is None:
        return None
    inputs = {}
    for text in given:
        name, equals, shape = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--inputs {text!r}: expected NAME=SHAPE")
        if name in inputs:
            raise UsageError(f"--inputs {text!r}: {name!r} is given twice")
        inputs[name] = shape
    return inputs


def _require_folder(place: str) -> None:
    """Raise UsageError where a folder is wanted and a file is named."""
    path = Path(place)
    if (path.exists() and not path.is_dir()) or path.suffix in PAGES:
        raise UsageError(f"{place!r} names a file, expected a folder")


def _records_of(place: str) -> Path:
    """A file or folder of records that is there."""
    path = Path(place)
    if path.is_dir() and not any(path.glob("results*.jsonl*")):
        path = path / "results.jsonl"
    if not path.exists():
        raise UsageError(f"report: {str(path)!r} does not exist")
    return path


if __name__ == "__main__":
    sys.exit(main())
