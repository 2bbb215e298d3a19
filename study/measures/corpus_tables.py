"""What the tables say of a corpus, whatever the model does: its strings and its strata."""

from __future__ import annotations

from typing import Any

import numpy as np

from study.measures.declared import NO_LAW, Column
from study.measures.reference import Reference


def string_columns(reference: Reference) -> dict[str, list[Any]]:
    """The table `strings`: training strings first, then controls."""
    corpus, strata = reference.corpus, reference.strata
    sides = (corpus.training, corpus.control)
    strata_of = np.concatenate([strata.training_stratum, strata.control_stratum]).tolist()
    return {
        "string": list(range(len(strata_of))),
        "side": ["training"] * len(corpus.training) + ["control"] * len(corpus.control),
        "log_p": [x for side in sides for x in side.log_p.tolist()],
        "stratum": [None if b < 0 else b for b in strata_of],
        "tokens": [x for side in sides for x in side.strings.tolist()],
        "log_p_by_level": [x for side in sides for x in side.log_p_by_level.tolist()],
    }


def stratum_columns(reference: Reference) -> dict[str, list[Any]]:
    """What the strata are, whatever the model does: of the table `typicality`."""
    strata = reference.strata
    columns = {
        "stratum": np.arange(len(strata)),
        "lower": strata.lower,
        "upper": strata.upper,
        "mean_log_p": reference.mean_log_p,
        "mass_training": strata.mass_training,
        "mass_control": strata.mass_control,
        "n_training": strata.num_training,
        "n_control": strata.num_control,
    }
    z = strata.z.tolist() if len(strata) > 1 else [None]
    unknown = [None] * len(strata)
    return {
        "z": z,
        **{name: unknown if x is None else x.tolist() for name, x in columns.items()},
    }


COLUMNS = (
    Column(
        name="lower",
        table="typicality",
        meaning="least log p of the stratum",
        unit="nats",
        range="≤ 0",
    ),
    Column(
        name="upper",
        table="typicality",
        meaning="largest log p of the stratum",
        unit="nats",
        range="≤ 0",
    ),
    Column(
        name="mean_log_p",
        table="typicality",
        meaning="mean log p of the stratum’s strings",
        unit="nats",
        range="≤ 0",
    ),
    Column(
        name="z",
        table="typicality",
        symbol="z_b",
        meaning="mean log p of the stratum, centred and scaled to unit variance with weights "
        "n_Db/N",
        range="any",
        null="where all strings lie in one stratum",
    ),
    Column(
        name="mass_training",
        table="typicality",
        symbol="p(D_b)",
        meaning="exact probability of the stratum’s training strings",
        unit="probability",
        range="[0, 1]",
        null=NO_LAW,
    ),
    Column(
        name="mass_control",
        table="typicality",
        symbol="p(C_b)",
        meaning="exact probability of the stratum’s controls",
        unit="probability",
        range="[0, 1]",
        null=NO_LAW,
    ),
    Column(
        name="n_training",
        table="typicality",
        symbol="n_Db",
        meaning="training strings of the stratum",
        unit="strings",
        range="≥ 1",
        kind="integer",
    ),
    Column(
        name="n_control",
        table="typicality",
        symbol="n_Cb",
        meaning="controls of the stratum",
        unit="strings",
        range="≥ 1",
        kind="integer",
    ),
    Column(
        name="log_p",
        table="strings",
        symbol="log p(x)",
        meaning="typicality of the string; without a grammar its score",
        unit="nats",
        range="≤ 0",
        source="[Aparicio 2026]",
    ),
    Column(
        name="stratum",
        table="strings",
        meaning="its stratum",
        range="≥ 0",
        null="for strings that are on both sides and count for neither",
        kind="integer",
    ),
    Column(
        name="tokens",
        table="strings",
        meaning="its d leaves",
        range="0 … v-1",
        kind="tokens",
    ),
    Column(
        name="log_p_by_level",
        table="strings",
        symbol="log p_l(x)",
        meaning="the part of log p from the rules of every level 0 … L-1",
        formula="log p = -log n + Σ_l log p_l",
        unit="nats",
        range="≤ 0",
        kind="numbers",
    ),
)
