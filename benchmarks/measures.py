"""Time and memory of measuring 10,000 generated strings against a corpus of 20,000.

python -m benchmarks.measures
"""

from __future__ import annotations

import resource
import time

import numpy as np

from rhm import Corpus, Grammar, GrammarShape
from study.measures import Reference, measure_strings


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    shape = GrammarShape(depth=4, vocab_size=6, num_synonyms=4)
    grammar = Grammar.random(shape, zipf={0: 1.0}, seed=0)
    corpus = Corpus.draw(grammar, 20_000, seed=0)
    start = time.perf_counter()
    reference = Reference.build(corpus)
    print(f"reference: {time.perf_counter() - start:.2f} s, peak {peak_mib():.0f} MiB")
    rng = np.random.default_rng(0)
    novel = grammar.sample(5_000, rng)
    generated = np.concatenate([novel, rng.permutation(corpus.training.strings)[:5_000]])
    for _ in range(3):
        start = time.perf_counter()
        measure_strings(reference, generated)
        print(f"one step:  {time.perf_counter() - start:.2f} s, peak {peak_mib():.0f} MiB")


if __name__ == "__main__":
    main()
