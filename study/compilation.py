"""torch.compile without its surprises."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch._dynamo.exc import TorchDynamoException
from torch._inductor import config as inductor

Step = Callable[[Tensor, Tensor, Tensor], Tensor]


class CompilationError(ValueError):
    """torch.compile does not work on this machine."""


def compiled(step: Step) -> Step:
    """The step compiled as one graph, at its first call and for the shapes of that call.

    What was compiled before in this process is forgotten: after a handful of shapes torch would
    give up silently and go on uncompiled. Compiles in this process, which leaves no others behind.
    What it compiled is kept on disk by torch and found again by the next process.

    Raises:
        CompilationError: at the first call, when the machine has no working compiler.
    """
    torch.compiler.reset()
    inductor.compile_threads = 1
    fused = torch.compile(step, fullgraph=True, dynamic=False)

    def run(x_0: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        try:
            return fused(x_0, x_t, t)
        except TorchDynamoException as error:
            reason = " ".join(str(error).splitlines()[:2])
            raise CompilationError(
                f"training.compile: torch.compile does not work here ({reason}); "
                "install a C++ compiler such as g++, or leave compile out"
            ) from error

    return run
