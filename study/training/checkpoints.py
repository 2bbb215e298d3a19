"""Checkpoints: one member's optimizer step, weights and Adam's moments, as bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import torch


class NotKept(ValueError):  # noqa: N818 - told to the user as such
    """A step whose checkpoint was not kept."""


def written(document: Mapping[str, Any]) -> bytes:
    """The bytes of a checkpoint; streams need no place in it, they follow from the step."""
    sink = io.BytesIO()
    torch.save(dict(document), sink)
    return sink.getvalue()


def read_checkpoint(data: bytes) -> dict[str, Any]:
    """The content of a checkpoint; nothing but tensors and numbers is ever unpickled."""
    return torch.load(io.BytesIO(data), weights_only=True)
