"""Records -> the page on which a wrong gradient is understood."""

from gradcheck.report.compare import Comparison, compare
from gradcheck.report.page import render, render_fragment, write_page

__all__ = ["Comparison", "compare", "render", "render_fragment", "write_page"]
