"""The measurements on samplers of known answer, many times over: what the long suite checks.

`python -m tests.study.calibration` prints the tables of docs/calibration.md.
"""
