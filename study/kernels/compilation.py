"""torch.compile without its surprises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._dynamo.exc import TorchDynamoException
from torch._inductor import config as inductor

from study.config.settings import ConfigError

Function = Callable[..., Any]


def compiled(*functions: Function, device: torch.device) -> list[Function]:
    """Each function compiled for a device as one graph, at its first call and for its shapes.

    What was compiled before in this process is forgotten: after a handful of shapes torch would
    give up silently and go on uncompiled. Compiles in this process, which leaves no others behind.
    What it compiled is kept on disk by torch and found again by the next process.

    Raises:
        ConfigError: at the first call, when the machine has no working compiler.
    """
    torch.compiler.reset()
    inductor.compile_threads = 1
    inductor.cpp_wrapper = device.type == "cpu"  # no Python between its many short kernels
    return [_explained(torch.compile(f, fullgraph=True, dynamic=False)) for f in functions]


def _explained(function: Function) -> Function:
    def run(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except TorchDynamoException as error:
            reason = " ".join(str(error).splitlines()[:2])
            what = (
                f"torch.compile does not work here ({reason}); install a C++ compiler such as g++"
            )
            fault = ("training", "compile"), f"{what}, or leave it out"
            raise ConfigError([fault]) from error

    return run
