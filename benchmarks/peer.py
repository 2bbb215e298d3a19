"""Public code on the same work, imported at run time from a checkout that the user names.

Known are martaaparod/memorization-in-diffusion-models and AntonioScl/minimal_diffusion_rhm. Nothing
of theirs is part of this repository.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.crew import Run
from rhm import GrammarShape
from study.models.weights import NetworkShape


@dataclass(frozen=True)
class Peer:
    """A checkout, imported by the processes that run its code.

    Attributes:
        root: folder that its modules are imported from.
    """

    root: Path

    @classmethod
    def at(cls, folder: Path) -> Peer:
        """The project in a folder.

        Raises:
            ValueError: when the folder holds neither of the known projects.
        """
        roots = [r for r in (folder / "diffusion_rhm", folder) if (r / "diffusion").is_dir()]
        if not roots:
            raise ValueError(f"--peer {folder}: no checkout of a known project (no diffusion/)")
        return cls(roots[0].absolute())

    def model(self, shape: NetworkShape, num_timesteps: int, device: torch.device) -> Any:
        """Its U-Net of this shape in its discrete diffusion."""
        unet = self._module("diffusion.unet").bpUNET(
            input_dim=shape.tuple_size**shape.depth,
            patch_size=shape.tuple_size,
            in_channels=shape.vocab_size,
            width=shape.width,
            num_layers=shape.depth,
            process="discrete",
        )
        ddpm = self._module("diffusion.ddpm")
        return ddpm.DiscreteDDPM(unet, (0.001, 0.1), num_timesteps).to(device)

    def training_step(self, shape: NetworkShape, strings: int, device: torch.device) -> Run:
        """One step of its training loop on a batch that is already on the device."""
        model = self.model(shape, 200, device)
        adam = torch.optim.Adam(model.parameters(), lr=0.01)
        tokens = torch.randint(shape.vocab_size, (strings, shape.tuple_size**shape.depth))
        x = _one_hot(tokens, shape.vocab_size).to(device)

        def run() -> None:
            adam.zero_grad()
            loss = model(x, 1)
            loss.backward()
            loss.item()  # its loop reads the loss at every step
            adam.step()

        return run

    def sampler(
        self, shape: NetworkShape, strings: int, num_timesteps: int, device: torch.device
    ) -> Run:
        """Its sampler, all strings in one batch."""
        model = self.model(shape, num_timesteps, device).eval()
        size = (shape.vocab_size, shape.tuple_size**shape.depth)

        def run() -> None:
            with torch.no_grad():
                model.sample(strings, size, device)

        return run

    def measuring(
        self,
        training: np.ndarray,
        generated: np.ndarray,
        shape: GrammarShape,
        device: torch.device,
    ) -> Run:
        """Copy detection and, where it has one, its statistic of copied substrings.

        In parts of 1,000 strings: at once, the second asks for tens of gigabytes.
        """
        corpus, strings = (
            _one_hot(torch.as_tensor(x.astype(np.int64)), shape.vocab_size).to(device)
            for x in (training, generated)
        )
        evaluation = self._module("diffusion.evaluate_model")
        substrings = getattr(evaluation, "hierarhical_copies", None)

        def run() -> None:
            for part in strings.split(1000):
                evaluation.compare_with_trainset(corpus, part)
                if substrings is not None:
                    substrings(part, corpus, shape.depth, shape.tuple_size)

        return run

    def corpus(self, shape: GrammarShape, size: int, device: torch.device) -> Run:
        """Its data set of unique strings, Zipf 1 at the root where it knows probabilities."""
        del device
        model, m = self._module("datasets").RandomHierarchyModel, shape.num_synonyms
        options: dict[str, Any] = {}
        if "probability" in inspect.signature(model).parameters:
            zipf = 1 / torch.arange(1, m + 1)
            uniform = {level: torch.ones(m) / m for level in range(shape.depth)}
            options = {
                "probability": uniform | {0: zipf / zipf.sum()},
                "replacement": True,
                "unique": True,
            }
        return lambda: model(
            num_features=shape.vocab_size,
            num_classes=shape.vocab_size,
            num_synonyms=m,
            tuple_size=shape.tuple_size,
            num_layers=shape.depth,
            train_size=size,
            **options,
        )

    def _module(self, name: str) -> Any:
        if str(self.root) not in sys.path:
            sys.path.append(str(self.root))
        return importlib.import_module(name)


def _one_hot(tokens: Tensor, v: int) -> Tensor:
    one_hot = torch.nn.functional.one_hot(tokens, v).float()
    return one_hot.permute(0, 2, 1).contiguous()
