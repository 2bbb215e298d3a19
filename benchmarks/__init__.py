"""What this project costs, beside the machine's limit and, at wish, beside public code.

    python -m benchmarks [--quick] [--device cuda] [--only training] [--peer DIR] [--out FILE]

Every figure is the median of repetitions in which all contenders take turns, so that a machine that
slows down slows all of them down.
"""
