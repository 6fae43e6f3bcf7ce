"""Numbers for people, also far beyond the float range."""

import math

import numpy as np
import pytest

from explorer.lessons.magnitudes import log10_norm, number_latex, size_latex
from explorer.lessons.sentences import one_sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1.00"),
        (0.394313, "0.394"),
        (0.00515378, "0.00515"),
        (0.000999, r"9.99\times 10^{-4}"),
        (0.0009996, "0.00100"),
        (117.3909, "117"),
        (9996.0, r"1.00\times 10^{4}"),
        (5678.0, "5680"),
        (13780.6, r"1.38\times 10^{4}"),
        (-2.5e-23, r"-2.50\times 10^{-23}"),
        (5e-324, r"4.94\times 10^{-324}"),
    ],
)
def test_three_significant_digits(value: float, text: str) -> None:
    assert number_latex(value) == text


def test_sizes_beyond_floats_are_written_out() -> None:
    assert size_latex(-594.0000000000001) == r"1.00\times 10^{-594}"
    assert size_latex(1000.5) == r"3.16\times 10^{1000}"
    assert size_latex(-math.inf) == "0"
    assert "number" in size_latex(math.nan)


def test_norm_neither_overflows_nor_underflows() -> None:
    assert log10_norm(np.array([3e-200, 4e-200])) == pytest.approx(math.log10(5e-200), abs=1e-12)
    assert log10_norm(np.array([3e200, 4e200]), 1000) == pytest.approx(
        math.log10(5) + 200 + 1000 * math.log10(2), abs=1e-10
    )
    assert log10_norm(np.array([5e-324, 0])) == pytest.approx(math.log10(5e-324), abs=1e-9)
    assert log10_norm(np.zeros(3)) == -math.inf
    assert math.isnan(log10_norm(np.array([1.0, np.nan])))


@pytest.mark.parametrize("text", ["no end mark", "Two. Sentences.", "A line\nbreak."])
def test_only_one_sentence_passes(text: str) -> None:
    with pytest.raises(ValueError, match="sentence"):
        one_sentence(text)
    assert one_sentence(" One with 0.5 in it. ") == "One with 0.5 in it."
