"""A plain torch module as a `Model`: autograd works out its gradient.

The module is one network: from tokens x_t (B, d) and steps t (B,) to logits (B, d, v). Its members
are evaluated one after the other, on one thread, so that no bit depends on company or threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cached_property

import torch
from torch import Tensor, nn

from study.config import TrialConfig
from study.models.layout import Layout
from study.models.model import Learner, Loss, Networks
from study.models.noise import Noise
from study.randomness import derived_seed

Make = Callable[[TrialConfig, Noise], nn.Module]
"""Builds one network of a training, at its first weights, from its configuration and its noise.

What it draws from torch's global generator follows from the training's seed. What it computes must
follow from weights and inputs alone: no dropout, and no state beside the parameters.
"""


ALIGNED = 16
"""Numbers that a parameter takes a multiple of: 64 bytes. The bits of sums and products, and of the
optimizer, may depend on where in memory a tensor begins, and so would on the company in a pack."""


class ModuleLayout(Layout):
    """The parameters of a module, in its own order, each as a row that ends in padding."""

    def __init__(self, module: nn.Module) -> None:
        self._numel = {name: x.numel() for name, x in module.named_parameters()}

    @cached_property
    def parameters(self) -> Mapping[str, tuple[int, ...]]:
        """See `Layout.parameters`."""
        return {name: (-(-n // ALIGNED) * ALIGNED,) for name, n in self._numel.items()}

    def row_of(self, module: nn.Module) -> Tensor:
        """The parameters of a module as one member's numbers (numel,), 0 at the padding."""
        numbers = torch.zeros(self.numel)
        for row, x in zip(self.views(numbers).values(), module.parameters(), strict=True):
            row[0, : x.numel()] = x.detach().flatten()
        return numbers


class AutogradModel:
    """Networks that are plain modules; see `study.models.model.Model`.

    Raises:
        ValueError: when the module has state that is no parameter; checkpoints would lose it.
    """

    def __init__(self, make: Make, config: TrialConfig, noise: Noise) -> None:
        self._make = make
        self._noise = noise
        self._compile = config.training.compile
        self._module = self._made(config)
        self.layout = ModuleLayout(self._module)
        parameters = dict(self._module.named_parameters(remove_duplicate=False))
        if state := self._module.state_dict().keys() - parameters.keys():
            raise ValueError(f"state that no checkpoint would hold: {', '.join(sorted(state))}")

    def initial_weights(self, configs: Sequence[TrialConfig]) -> Tensor:
        """See `Model`."""
        rows = [self.layout.row_of(self._made(config)) for config in configs]
        return self.layout.flattened(torch.stack(rows))

    def networks(self, flat: Tensor) -> AutogradNetworks:
        """See `Model`."""
        return AutogradNetworks(self._module, self.layout, flat)

    def learner(self, flat: Tensor, gradient: Tensor, loss: Loss) -> Learner:
        """See `Model`."""
        networks = AutogradNetworks(self._module, self.layout, flat, gradient)
        return AutogradLearner(networks, gradient, loss, compile=self._compile)

    def is_exact_on_threads(self, rows: int, members: int) -> bool:
        """No module is known to be; see `Model`."""
        del rows, members
        return False

    def _made(self, config: TrialConfig) -> nn.Module:
        """The module at a training's first weights; the global generator is put back."""
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(derived_seed(config.seed, "initialization"))
            return self._make(config, self._noise).to(self._noise.alpha_bar.device)


class AutogradNetworks:
    """K modules whose parameters are views of one flat buffer; see `study.models.model.Networks`.

    Args:
        module: what each is a copy of.
        layout: of its parameters.
        flat: (K·numel,) all weights.
        gradient: (K·numel,) where autograd adds the gradients; not needed where it never does.
    """

    def __init__(
        self, module: nn.Module, layout: Layout, flat: Tensor, gradient: Tensor | None = None
    ) -> None:
        self.flat = flat
        weights = layout.views(flat)
        gradients = {} if gradient is None else layout.views(gradient)
        self._modules = [deepcopy(module) for _ in range(len(flat) // layout.numel)]
        for k, member in enumerate(self._modules):
            for name, parameter in member.named_parameters():
                parameter.data = _like(parameter, weights[name][k])
                parameter.grad = _like(parameter, gradients[name][k]) if gradients else None

    def __call__(self, x_t: Tensor, t: Tensor) -> Tensor:
        """See `Networks`."""
        t = t.expand(x_t.shape[:2])
        return torch.stack([m(x, s) for m, x, s in zip(self._modules, x_t, t, strict=True)])


def _like(parameter: Tensor, row: Tensor) -> Tensor:
    """A row without its padding, in the shape of a parameter; a view."""
    return row[: parameter.numel()].view(parameter.shape)


class AutogradLearner:
    """A graph forward, the loss, and the graph backward; a `Learner`.

    Args:
        networks: with a graph from their weights to the logits.
        gradient: (K·numel,) where autograd adds the gradients of these weights.
        loss: of the logits.
        compile: whether torch compiles the graph.
    """

    def __init__(self, networks: Networks, gradient: Tensor, loss: Loss, *, compile: bool) -> None:
        self._forward: Callable[[Tensor, Tensor], Tensor] = networks
        self._gradient, self._loss = gradient, loss
        if compile:
            from study.kernels.compilation import compiled

            (self._forward,) = compiled(networks.__call__, device=networks.flat.device)

    def __call__(self, x_0: Tensor, x_t: Tensor, t: Tensor) -> Tensor:
        """See `Learner`."""
        self._gradient.zero_()
        logits = self._forward(x_t, t)
        losses, gradient = self._loss(logits.detach(), x_0, x_t, t)
        leaves = losses[0].numel()
        logits.backward(gradient / leaves)
        return losses.sum((1, 2)) / leaves
