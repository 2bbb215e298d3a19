from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest
import torch
from torch._inductor import config as inductor
from torch._inductor.utils import fresh_cache

from study.__main__ import main
from study.config.settings import ConfigError
from study.training.member import Member
from study.training.pack import PackTrainer
from tests.study.small import small

pytestmark = pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")  # torch's own

TINY = {"grammar__depth": 1, "corpus__size": 8, "grammar__zipf": {}}
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler here")


def pack(*, compile: bool) -> PackTrainer:
    configs = [small(seed=seed, training__compile=compile, **TINY) for seed in (1, 2)]
    return PackTrainer([Member(config) for config in configs], torch.device("cpu"))


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


@pytest.fixture
def no_compiler() -> Iterator[None]:
    """torch finds no compiler, and nothing compiled before."""
    with fresh_cache(), inductor.patch({"cpp.cxx": ("no-such-compiler",)}):
        yield


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_one_sentence_says_so():
    with pytest.raises(ConfigError, match=r"install a C\+\+ compiler"):
        pack(compile=True).train(1)


@pytest.mark.usefixtures("no_compiler")
def test_the_command_line_refuses_in_one_line(tmp_path, capsys):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(small(training__compile=True, **TINY).to_dict()))
    assert main([str(config), "--out", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error:")
    assert "training.compile: torch.compile does not work here" in line
