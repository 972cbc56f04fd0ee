"""The charts: numbers in, a `Chart` out. Each says in words what is to be seen."""

from gradcheck.report.charts.bars import bars, stack
from gradcheck.report.charts.columns import columns
from gradcheck.report.charts.curves import curves
from gradcheck.report.charts.heat import heat_maps, thumbnail
from gradcheck.report.charts.histogram import histogram
from gradcheck.report.charts.kink import kink_picture
from gradcheck.report.charts.ranges import ranges
from gradcheck.report.charts.steps import step_plot

__all__ = [
    "bars",
    "columns",
    "curves",
    "heat_maps",
    "histogram",
    "kink_picture",
    "ranges",
    "stack",
    "step_plot",
    "thumbnail",
]
