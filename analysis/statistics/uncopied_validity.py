"""Conditional validity among the generated strings that are no copies of training strings."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.frames.tables import columns_of, in_parts, once

FEWEST = 20
"""Nodes on which a share has to stand; its standard error is then at most 0.11."""


def uncopied_validity(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Conditional validity of non-copied strings, of every level and step with generated strings.

    Let c be the share of generated strings that are training strings, whether or not they are
    controls too: `copied` at the root (`copy_fraction` counts those on both sides for neither). Let
    V_l be the share of level-l nodes that parse, and q_l the conditional validity, V_l over the
    share Q_l of nodes whose children all parse: Q_l = V_l/q_l. All strings have equally many
    level-l nodes and every node of a copy parses, as do its children, so copies make up the share c
    of all nodes, of those that parse, and of those whose children do. Without them

        u_l = (V_l - c)/(V_l/q_l - c),

    exactly, at every level; strings count as often as they were generated. It stands on
    G·s^l·(V_l/q_l - c) nodes and is missing where they are fewer than 20, or where no node of the
    level parses, so that Q_l is not known.

    Returns:
        `training`, `step`, `level`, `uncopied` (u_l) and `chance_validity`.
    """
    return once(tables, uncopied_validity, lambda: in_parts(tables, _uncopied))


def _uncopied(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    columns = ["level", "validity", "conditional_validity", "chance_validity"]
    levels = columns_of(tables, "levels", [*columns, "copied"])
    root = levels.loc[levels["level"] == 0, ["training", "step", "copied"]]
    frame = levels.loc[levels["chance_validity"].notna(), ["training", "step", *columns]]
    frame = frame.merge(root, on=["training", "step"])
    settings = tables["trainings"].set_index("training")[
        ["measurement.generated", "grammar.tuple_size"]
    ]
    own = settings.astype(float).reindex(frame["training"]).set_index(frame.index)
    generated, tuple_size = own["measurement.generated"], own["grammar.tuple_size"]
    parse = frame["validity"] - frame["copied"]
    conditional = frame["conditional_validity"].where(frame["conditional_validity"] > 0)
    complete = frame["validity"] / conditional - frame["copied"]
    nodes = generated * tuple_size ** frame["level"] * complete
    # Rounding leaves a little where all strings are copies.
    enough = nodes.round(6) >= FEWEST
    uncopied = (parse / complete.where(enough)).clip(lower=0)
    return frame[["training", "step", "level", "chance_validity"]].assign(uncopied=uncopied)
