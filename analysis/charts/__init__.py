"""Figures in two pure steps: numbers to a typed table, the table to a chart.

The tables need no drawing library; altair is loaded only when a chart is built.
"""
