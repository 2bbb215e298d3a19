"""Corpora that are shipped: what they hold, and that their licences stand beside them."""

from __future__ import annotations

from importlib import resources

import numpy as np
import pytest

from study.config import StringsConfig
from study.corpus import shipped
from study.corpus.shipped import build

EXPECTED = {
    "words": (14_401, 8, 39, 3),
    "letters": (13_572, 8, 26, 3),
    "digits": (1_797, 64, 4, 3),
    "digits-binary": (1_752, 64, 2, 3),
}
HASHES = {
    "words": "03351ced",
    "letters": "5eac167f",
    "digits": "40c15100",
    "digits-binary": "89ce7be2",
}
"""Promises to results that already lie on disks."""


@pytest.mark.parametrize("name", shipped.NAMES)
def test_what_they_hold(name):
    pool = shipped.pool(name, StringsConfig()).config
    assert (pool.strings, pool.leaves, pool.vocab_size, pool.depth) == EXPECTED[name]
    assert pool.sha256.startswith(HASHES[name])
    assert pool.image == name.startswith("digits")


def test_words_are_words():
    pool = shipped.pool("words", StringsConfig())
    text = {pool.separator.join(pool.alphabet[t] for t in string) for string in pool.strings}
    assert "K AH M P Y UW T ER" in text  # computer
    letters = shipped.pool("letters", StringsConfig())
    spelled = ["".join(letters.alphabet[t] for t in string) for string in letters.strings]
    typical = dict(zip(spelled, letters.typicality, strict=True))
    assert typical["anything"] > typical["molecule"] > typical["aardvark"]
    assert shipped.pool("letters", StringsConfig(score="ngram")).typicality is None


def test_morton_order_is_a_quadtree():
    order = shipped.morton(8)
    assert sorted(order) == list(range(64))
    rows, columns = order // 8, order % 8
    for size in (2, 4):
        blocks = zip(
            rows.reshape(-1, size * size) // size,
            columns.reshape(-1, size * size) // size,
            strict=True,
        )
        for row, column in blocks:
            assert len(set(row)) == len(set(column)) == 1


def test_digits_are_those_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    assert np.array_equal(
        np.frombuffer(build.digits(), dtype=np.uint8).reshape(-1, 64),
        datasets.load_digits().data,
    )
    assert build.digits() == shipped._read("digits.gz")


@pytest.mark.parametrize("name", ["words", "letters", "digits"])
def test_every_file_has_its_licence_beside_it(name):
    licence = resources.files(shipped).joinpath(f"{name}.LICENSE.txt").read_text()
    assert len(licence) > 500
    assert f"{name}." in licence


def test_pronunciations_are_cut_out_of_a_dictionary(tmp_path):
    file = tmp_path / "small.dict"
    file.write_text(
        "computer K AH0 M P Y UW1 T ER0\ncomputer(2) K AH2 M P Y UW1 T ER0 # again\ncat K AE1 T\n"
    )
    assert build.words(file) == "K AH M P Y UW T ER\n"
