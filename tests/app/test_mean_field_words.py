"""What the section Mean field says, against closed forms."""

from __future__ import annotations

import re

import numpy as np
import pytest

from explorer.app.regimes.mean_field_words import measured_words, phase_words
from explorer.theory import critical_line, mean_field


def test_words_follow_closed_forms_of_relu() -> None:
    for sigma in (0.5, 1.0, 1.3, 1.6, 3.0):
        tone, words = phase_words(mean_field("relu", sigma_w=sigma))
        chi = sigma**2 / 2
        assert tone == ("vanishes" if chi < 1 else "explodes")
        assert float(re.findall(r"χ₁ = ([\d.]+)\. ", words)[0]) == pytest.approx(chi, rel=5e-3)
        decades = float(re.findall(r"by ([\d.]+) decades a layer", words)[0])
        assert decades == pytest.approx(abs(np.log10(chi)) / 2, rel=0.05)
        assert ("without a fixed length" in words) == (chi > 1)
    assert phase_words(mean_field("relu", sigma_w=2**0.5))[1].startswith("Critical: χ₁ = 1. Gradients keep")


def test_words_on_two_signals() -> None:
    chaos = mean_field("tanh", sigma_w=4.0)  # odd and without biases: c* = 0
    assert "part to a correlation of 0 (" in phase_words(chaos)[1]
    at_chaos = float(critical_line("tanh", 0.3))
    assert "slower than any exponential (ξ = ∞)" in phase_words(mean_field(sigma_w=at_chaos, sigma_b=0.3))[1]
    assert "keep their correlation" in phase_words(mean_field("linear", sigma_w=1.0))[1]
    order = mean_field("linear", sigma_w=np.exp(-0.5), sigma_b=0.1)  # χ = 1/e: ξ is one step
    assert "falls to 1/e in ξ\u00a0=\u00a01\u00a0steps" in phase_words(order, "step")[1]


def test_words_count_what_lies_inside_the_band() -> None:
    growth = np.array([0.9, 1.0, 1.2])
    assert "0.9 to 1.2, 2 inside the band" in measured_words(growth, 1.0, 0.15, 64)
    assert "0.9 to 1.2, inside the band" in measured_words(growth, 1.0, 0.25, 64)
    assert "0.9 to 1.2, outside the band" in measured_words(growth, 2.0, 0.25, 64)
    assert measured_words(growth[:1], 1.0, 0.15, 64).startswith(
        "Measured growth in a network of 64 units: 0.9,"
    )
    assert measured_words(np.zeros(3), 0.0, 0.15, 64).endswith("exactly 0.")
