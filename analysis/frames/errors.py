"""What cannot be analysed."""

from __future__ import annotations


class AnalysisError(ValueError):
    """Results or choices that cannot be analysed, said in one sentence."""
