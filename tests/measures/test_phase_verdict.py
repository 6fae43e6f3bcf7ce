"""The sentences on a phase diagram are counted from its numbers."""

from __future__ import annotations

import numpy as np

from explorer.measures.phase_verdict import phase_sentence, theory_sentence


def test_shares_are_counted() -> None:
    said = phase_sentence(np.array([[-np.inf, -1.0, 0.5, 0.005, np.nan]])).replace("\u00a0", " ")
    assert "vanishes at 50 % of the points (25 % exactly to 0)" in said
    assert "explodes at 25 % and survives at 25 %" in said
    assert phase_sentence(np.full((2, 2), np.nan)) == "Nothing is computed yet."


def test_theory_is_judged_outside_its_band_only() -> None:
    chi = np.array([0.5, 0.5, 2.0, 2.0, 1.05])
    values = np.array([-1.0, -np.inf, 1.0, -1.0, -1.0])  # one of four wrong, one inside the band
    said = theory_sentence(values, chi, 0.1).replace("\u00a0", " ")
    assert "20 % of the points" in said and "right sign at 75 %" in said
    assert "All points lie in the band" in theory_sentence(values[4:], chi[4:], 0.1)
