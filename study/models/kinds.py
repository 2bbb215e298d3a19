"""The registry of models: `network.kind` -> what it costs and how it is built.

Free of torch, which only building a model loads. Another model is added without a change of this
package: `register` it, or name its `ModelKind` as an entry point of the group `memophase.models`,
which the command line and the workers of a sweep find as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from study.config import PRECISIONS, ConfigError, TrialConfig
from study.config.settings import did_you_mean
from study.corpus.pooling import misfit
from study.models import counts, transformer_counts

if TYPE_CHECKING:
    from study.models.model import Model
    from study.models.noise import Noise

GROUP = "memophase.models"


@dataclass(frozen=True, kw_only=True)
class ModelKind:
    """One kind of network.

    Attributes:
        build: the model of a training, from its configuration and the numbers of its noise, on
            the device where it is to compute.
        forward_macs: multiply-accumulates of one string's forward pass.
        num_weights: learned numbers of one network.
        precisions: the values of `training.precision` that it honours; those of the default are
            torch's own to honour.
        has_layers: whether `network.layers` says how many it has.
        any_length: whether it needs no tree over the leaves of strings.
    """

    build: Callable[[TrialConfig, Noise], Model]
    forward_macs: Callable[[TrialConfig], int]
    num_weights: Callable[[TrialConfig], int]
    precisions: tuple[str, ...] = ("float32", "tf32")
    has_layers: bool = False
    any_length: bool = False


def register(name: str, kind: ModelKind) -> None:
    """Make a kind known in this process.

    Raises:
        ValueError: when the name is another's.
    """
    if _registered.setdefault(name, kind) is not kind:
        raise ValueError(f"there is a model of kind '{name}' already")


def known() -> list[str]:
    """Names of all kinds, sorted."""
    return sorted({*_registered, *entry_points(group=GROUP).names})


def kind_of(config: TrialConfig) -> ModelKind:
    """The kind of a training's network.

    Raises:
        ConfigError: when it is unknown here, or cannot be trained as the training asks.
    """
    name = config.network.kind
    for entry in entry_points(group=GROUP, name=name) if name not in _registered else ():
        register(name, entry.load())
    if name not in _registered:
        what = f"there is no model '{name}' here; {did_you_mean(name, known())}"
        raise ConfigError([(("network", "kind"), what)])
    kind = _registered[name]
    if config.training.precision not in kind.precisions:
        what = f"'{name}' is trained in {' or '.join(kind.precisions)} only"
        raise ConfigError([(("training", "precision"), what)])
    if config.network.layers is not None and not kind.has_layers:
        what = f"'{name}' has no number of layers to be set; leave it out"
        raise ConfigError([(("network", "layers"), what)])
    if config.pool is not None and not kind.any_length and (what := misfit(config.pool)):
        raise ConfigError([(("corpus", "source"), f"'{name}' cannot read them: {what}")])
    return kind


def model_of(config: TrialConfig, noise: Noise) -> Model:
    """The model of a training.

    Raises:
        ConfigError: see `kind_of`.
    """
    return kind_of(config).build(config, noise)


def _unet(config: TrialConfig, noise: Noise) -> Model:
    from study.models.unet_model import UNetModel

    return UNetModel(config, noise)


def _reference(config: TrialConfig, noise: Noise) -> Model:
    from study.models.autograd import AutogradModel
    from study.models.reference import ReferenceUNet

    return AutogradModel(ReferenceUNet.of, config, noise)


def _transformer(config: TrialConfig, noise: Noise) -> Model:
    from study.models.transformer import TransformerModel

    return TransformerModel(config, noise)


_registered: dict[str, ModelKind] = {
    "unet": ModelKind(
        build=_unet,
        forward_macs=counts.forward_macs,
        num_weights=counts.num_weights,
        precisions=PRECISIONS,
    ),
    "unet-reference": ModelKind(
        build=_reference, forward_macs=counts.forward_macs, num_weights=counts.num_weights
    ),
    "transformer": ModelKind(
        build=_transformer,
        forward_macs=transformer_counts.forward_macs,
        num_weights=transformer_counts.num_weights,
        has_layers=True,
        any_length=True,
    ),
}
