"""The report that people look at: one HTML file, whole in itself."""

from analyzer.report.html.page import MOST_JOURNEYS, page

__all__ = ["MOST_JOURNEYS", "page"]
