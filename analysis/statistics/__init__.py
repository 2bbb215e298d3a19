"""From frames to numbers over seeds: regimes, onsets, boundaries."""
