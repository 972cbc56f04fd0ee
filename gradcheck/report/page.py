"""A run -> one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from functools import cache
from itertools import count as counter
from typing import Any

import jinja2
from markupsafe import Markup

from gradcheck.records import Run, write_text
from gradcheck.report import text
from gradcheck.report.compare import Comparison, compare
from gradcheck.report.panels import PANELS, failures, verdict
from gradcheck.report.panels.changes import sentence
from gradcheck.report.summary import Summary, summarise


def render(run: Run, baseline: Run | Comparison | None = None) -> str:
    """The whole page. baseline: an earlier run, to show what changed since."""
    summary = summarise(run, _comparison(run, baseline))
    panels = [(panel, panel.build(summary)) for panel in PANELS]
    script = _source("script.js")
    return _template("page.html").render(
        panels=[(panel, context) for panel, context in panels if context is not None],
        title=_title(summary),
        style=Markup(_source("style.css")),
        script=Markup(script),
        script_hash=_hash(script),
        next_id=_ids("x"),
        summary=summary,
    )


def render_fragment(run: Run) -> str:
    """The verdict and the failures alone, without scripts: what a notebook shows."""
    summary = summarise(run)
    prefix = "g" + hashlib.sha256(repr(run.cases[:20]).encode("utf-8", "replace")).hexdigest()[:8]
    return _template("fragment.html").render(
        verdict=verdict.PANEL.build(summary),
        failures=failures.PANEL.build(summary),
        style=Markup(_source("style.css")),
        next_id=_ids(prefix),
        summary=summary,
    )


def write_page(
    run: Run, path: str | os.PathLike[str], baseline: Run | Comparison | None = None
) -> None:
    """Writes the page beside `path` and renames it. Raises RecordError where it cannot."""
    write_text(path, render(run, baseline))


def _comparison(run: Run, baseline: Run | Comparison | None) -> Comparison | None:
    return compare(run, baseline) if isinstance(baseline, Run) else baseline


def _title(summary: Summary) -> str:
    return f"{verdict.headline(summary)} · gradcheck"


def _ids(prefix: str) -> Callable[[], str]:
    numbers = counter(1)
    return lambda: f"{prefix}{next(numbers)}"


def _hash(script: str) -> str:
    """What the page's content security policy allows to run, and nothing else."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gradcheck.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=text.shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    filters: dict[str, Callable[..., Any]] = {
        "number": text.number,
        "commas": text.count,
        "plural": text.plural,
        "duration": text.duration,
        "at": text.index_text,
        "listing": text.listing,
        "short": text.short,
        "cell": text.cell,
        "breakable": text.breakable,
        "prose": text.prose,
        "code": text.code,
        "whole": lambda value: text.clean(str(value), 10**7),
        "sentence": sentence,
    }
    environment.filters.update(filters)
    return environment


def _template(name: str) -> jinja2.Template:
    return _environment().get_template(name)


@cache
def _source(name: str) -> str:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), name)[0].strip()
