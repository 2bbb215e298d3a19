"""From the tables of a sweep to phase diagrams, onsets, tested claims and a report.

Importing this package is light: the drawing libraries are loaded only by what draws.
"""

from __future__ import annotations

from analysis.frames.errors import AnalysisError
from analysis.frames.loading import load
from analysis.frames.tables import Tables

__all__ = ["AnalysisError", "Tables", "load"]
