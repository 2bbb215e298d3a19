from __future__ import annotations

import shutil

import pytest
import torch
from torch._inductor import config as inductor
from torch._inductor.utils import fresh_cache

from study.compilation import CompilationError
from study.training import PackTrainer
from study.trial import build_corpus
from tests.study.small import small

pytestmark = pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")  # torch's own

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")


def pack(*, compile: bool) -> PackTrainer:
    settings = {"grammar__depth": 1, "corpus__size": 8, "grammar__zipf": {}}
    configs = [small(seed=seed, training__compile=compile, **settings) for seed in (1, 2)]
    corpora = [build_corpus(config).training.strings for config in configs]
    return PackTrainer(configs, corpora, torch.device("cpu"))


@needs_compiler
def test_a_compiled_step_takes_the_same_step():
    compiled, plain = pack(compile=True), pack(compile=False)
    for trainer in (compiled, plain):
        trainer.train(1)
    expected = plain._adam.gradient
    assert torch.allclose(
        compiled._adam.gradient, expected, atol=1e-5 * float(expected.abs().max())
    )
    assert compiled.batch_losses() == pytest.approx(plain.batch_losses(), rel=1e-5)
    for trainer in (compiled, plain):
        trainer.train(50)
    assert compiled.batch_losses() == pytest.approx(plain.batch_losses(), rel=1e-3)


def test_without_a_compiler_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(inductor.cpp, "cxx", ("no-such-compiler",))
    with fresh_cache(), pytest.raises(CompilationError, match=r"install a C\+\+ compiler"):
        pack(compile=True).train(1)
