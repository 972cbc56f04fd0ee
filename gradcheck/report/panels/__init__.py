"""The panels in the order of the page. A new panel: one file here, one template, one line below."""

from gradcheck.report.panels import (
    changes,
    coverage,
    detectable,
    environment,
    failures,
    matrix,
    oracles,
    power,
    sections,
    slowest,
    trend,
    verdict,
)
from gradcheck.report.panels.base import Panel

PANELS: tuple[Panel, ...] = (
    verdict.PANEL,
    changes.PANEL,
    matrix.PANEL,
    failures.PANEL,
    oracles.PANEL,
    detectable.PANEL,
    coverage.PANEL,
    power.PANEL,
    sections.PANEL,
    trend.PANEL,
    slowest.PANEL,
    environment.PANEL,
)

__all__ = ["PANELS", "Panel"]
