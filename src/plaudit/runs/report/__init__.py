"""The report: one offline page about a run, and a comparison of several. Reads the run folder alone."""

from plaudit.runs.report.page import write_comparison, write_report

__all__ = ["write_comparison", "write_report"]
