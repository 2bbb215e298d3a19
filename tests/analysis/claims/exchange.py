"""A null sweep from real trainings: which strings were trained on is exchanged at random.

Within each stratum, and within the strings whose losses are followed, sides are dealt anew; strata,
their z and the numbers of strings stay. Every column that compares the sides is then worked out
from the tables `emissions` and `likelihood`, as when it was measured. The first deal is the real
one, so that it can be held against what was measured.

    python -m tests.analysis.claims.exchange RESULTS [RESULTS …] [--exchanges 200]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import load
from analysis.claims import claims
from analysis.frames.cells import fields_of
from analysis.frames.tables import Tables
from analysis.frames.wording import number
from study.config.trial import GRAMMAR
from study.measures.memorized import LARGEST_P, excess_share, null_rate

TESTED = ("C1", "C2", "C16", "C19", "C20")
"""The claims that rest on nothing but columns that can be worked out anew."""


@dataclass(frozen=True)
class Sides:
    """The sides of one training's K strings in R deals.

    stratum  (K,)
    mass     (K,) probability; where no law is known that of all alike, so that ρ_b = n_Db/n_Cb
    trained  (R, K) whether a string counts as a training string
    z        (S,) as measured
    size     G
    """

    stratum: NDArray[np.int64]
    mass: NDArray[np.float64]
    trained: NDArray[np.bool_]
    z: NDArray[np.float64]
    size: int

    def copying(self, count: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """E and T_E (R,) of strings that were generated `count` (K,) times."""
        excess = np.zeros(len(self.trained))
        slope = np.zeros(len(self.trained))
        for b, z in enumerate(self.z):
            own = self.stratum == b
            trained, p, n = self.trained[:, own], self.mass[own], count[own] / self.size
            ratio = (trained @ p) / (~trained @ p)
            surplus = trained @ n - ratio * (~trained @ n)
            excess += surplus
            slope += z * surplus
        return excess, slope

    def likelihood(self, loss: NDArray[np.float64]) -> NDArray[np.float64]:
        """T_L (R,) from losses (K,), NaN where a string is not followed; NaN where undefined."""
        total = np.zeros(len(self.trained))
        of_all = self.trained[0].sum()
        for b, z in enumerate(self.z):
            own = (self.stratum == b) & ~np.isnan(loss)
            trained = self.trained[:, own][:, np.argsort(loss[own], kind="stable")]
            controls = int((~trained[0]).sum())
            rate = null_rate(controls)
            if rate is None:
                return np.full(len(total), np.nan)
            p = (1 + (~trained).cumsum(axis=1)) / (controls + 1)
            share = ((p <= LARGEST_P) & trained).sum(axis=1) / trained.sum(axis=1)
            weight = self.trained[0, self.stratum == b].sum() / of_all
            total += weight * z * excess_share(share, rate)
        return total


def sides(tables: Tables, training: str, exchanges: int, rng: np.random.Generator) -> Sides | None:
    """The deals of one training, the real one first; None where it has a single stratum."""
    z = tables["typicality"].query("training == @training").drop_duplicates("stratum")
    if len(z) < 2:
        return None
    strings = tables["strings"].query("training == @training").sort_values("string")
    followed = tables["likelihood"].query("training == @training")["string"].unique()
    real = (strings["side"] == "training").to_numpy()
    group = strings["stratum"].to_numpy(dtype=np.int64) * 2 + strings["string"].isin(followed)
    trained = np.repeat(real[None, :], exchanges + 1, axis=0)
    for value in np.unique(group):
        own = np.flatnonzero(group == value)
        trained[1:, own] = rng.permuted(trained[1:, own], axis=1)
    row = tables.trainings.set_index("training").loc[training]
    known = row["corpus.source"] == GRAMMAR
    return Sides(
        strings["stratum"].to_numpy(dtype=np.int64),
        np.exp(strings["log_p"].to_numpy()) if known else np.ones(len(strings)),
        trained,
        z.sort_values("stratum")["z"].to_numpy(dtype=np.float64),
        int(row["measurement.generated"]),
    )


def corpus_of(trainings: pd.DataFrame) -> pd.Series:
    """A number for the corpus of each training, which is dealt once for all that share it."""
    of_strings = ("grammar.", "corpus.", "strings.", "pool.")
    fields = [name for name in fields_of(trainings) if name.startswith(of_strings)]
    return trainings.groupby(["seed", *fields], dropna=False).ngroup()


def curves(tables: Tables, exchanges: int, seed: int = 0) -> NDArray[np.float64]:
    """E, T_E and T_L (R, rows of `curves`, 3) of every deal; NaN where not measured."""
    rows = tables["curves"]
    found = np.full((exchanges + 1, len(rows), 3), np.nan)
    emissions, losses = (
        dict(iter(tables[name].groupby(["training", "step"])))
        for name in ("emissions", "likelihood")
    )
    corpora = corpus_of(tables.trainings)
    for corpus, training in zip(corpora, tables.trainings["training"], strict=True):
        dealt = sides(tables, training, exchanges, np.random.default_rng([seed, corpus]))
        own = np.flatnonzero(rows["training"] == training)
        if dealt is None:
            found[:, own, 0] = rows["excess_copies"].iloc[own]  # nothing to exchange it within
            continue
        for place in own:
            key = (training, rows["step"].iloc[place])
            if not np.isnan(rows["excess_copies"].iloc[place]):
                count = np.zeros(len(dealt.stratum))
                if key in emissions:
                    count[emissions[key]["string"].to_numpy()] = emissions[key]["count"]
                found[:, place, 0], found[:, place, 1] = dealt.copying(count)
            if key in losses:
                loss = np.full(len(dealt.stratum), np.nan)
                loss[losses[key]["string"].to_numpy()] = losses[key]["loss"]
                found[:, place, 2] = dealt.likelihood(loss)
    return found


def sweeps(tables: Tables, exchanges: int, seed: int = 0) -> Iterator[Tables]:
    """The tables of every deal, the real one first."""
    found = curves(tables, exchanges, seed)
    frames = {name: tables[name] for name in ("trainings", "levels")}
    for excess, slope, likelihood in np.moveaxis(found, 2, 1):
        relative = np.where(excess >= 0.1, slope / np.where(excess >= 0.1, excess, 1.0), np.nan)
        columns = {"excess_copies": excess, "typicality_slope": slope}
        columns |= {"relative_slope": relative, "likelihood_slope": likelihood}
        yield Tables.of({**frames, "curves": tables["curves"].assign(**columns)})


def with_unique_strings(tables: Tables) -> Tables:
    """Without trainings on strings drawn with repetition, which count for neither side."""
    own = tables.trainings[tables.trainings["corpus.unique"].astype(bool)]
    names = ("curves", "levels", "typicality", "strings", "emissions", "likelihood")
    frames = {n: tables[n][tables[n]["training"].isin(own["training"])] for n in names}
    return Tables.of({"trainings": own, **frames})


def verdicts(tables: Tables, exchanges: int) -> Mapping[str, Counter[str]]:
    """How often each claim came out how, over the exchanges."""
    tested = [claim for claim in claims() if claim.id in TESTED]
    counts: dict[str, Counter[str]] = {claim.id: Counter() for claim in tested}
    for place, dealt in enumerate(sweeps(tables, exchanges)):
        for claim in tested if place else ():
            counts[claim.id][claim.test(dealt).verdict] += 1
    return counts


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one row per claim."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="+")
    parser.add_argument("--exchanges", type=int, default=200)
    options = parser.parse_args(arguments)
    folders = options.results
    tables = with_unique_strings(load(folders if len(folders) > 1 else folders[0]))
    print("| claim | supported | contradicted | inconclusive | not tested |")
    print("|---|---|---|---|---|")
    for id, found in verdicts(tables, options.exchanges).items():
        share = {name: count / options.exchanges for name, count in found.items()}
        cells = ("supported", "contradicted", "inconclusive", "not tested by this sweep")
        print(f"| {id} |", " | ".join(number(100 * share.get(name, 0.0), 1) for name in cells), "|")


if __name__ == "__main__":
    main()
