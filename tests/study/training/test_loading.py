from __future__ import annotations

import numpy as np
import pytest

from study import load_training
from study.store.results import FOLDER, DamagedTraining, Results
from study.training.run import run_pack
from tests.study.small import small


def test_a_loaded_training_generates_what_the_training_measured(tmp_path):
    config = small()
    run_pack([config, small(seed=1)], Results.open(tmp_path))
    loaded = load_training(tmp_path / FOLDER / config.hash)
    assert loaded.config == config
    assert loaded.step == 32
    assert loaded.corpus.training.strings.shape == (40, 4)
    strings = loaded.generate(50, seed=3)
    assert strings.shape == (50, 4)
    assert np.array_equal(strings, loaded.generate(50, seed=3))
    assert not np.array_equal(strings, loaded.generate(50, seed=4))


@pytest.mark.parametrize("folder", ["nowhere", f"{FOLDER}/0123456789abcdef"])
def test_what_is_no_training_is_said_plainly(tmp_path, folder):
    with pytest.raises(DamagedTraining, match=r"not a training|no published training"):
        load_training(tmp_path / folder)
