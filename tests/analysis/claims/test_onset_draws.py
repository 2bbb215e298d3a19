"""Sweeps of onsets drawn read as their tables do."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analysis.claims import onset_draws
from tests.analysis.claims.test_onset_claims import CASES


@pytest.mark.parametrize("id", onset_draws.PARTS)
@pytest.mark.parametrize("which", [0, 1])
def test_onsets_drawn_read_as_their_tables_do(id, which):
    claim, design, slopes = CASES[id]
    tables = design.tables(slopes[which], 4, np.random.default_rng(7))
    whole = claim.test(tables)
    estimates = onset_draws.found(id, slopes[which], 4, np.random.default_rng(7))
    assert estimates[0] == pytest.approx(whole.estimate)
    judged = onset_draws.judgement(id, estimates)
    assert judged.verdict == whole.verdict
    assert judged.p_value == pytest.approx(whole.judgement.p_value)
    assert whole.slope.how.endswith("jackknifed")
