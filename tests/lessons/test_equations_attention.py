"""The numbers in the attention's equations are those of the look."""

from __future__ import annotations

import numpy as np

from explorer.lessons.equations_attention import attention_equations
from explorer.lessons.magnitudes import number_latex
from explorer.seq2seq.context import context_gradient


def test_the_numbers_are_those_of_the_look() -> None:
    rng = np.random.default_rng(3)
    scores, h, slopes = rng.normal(size=5), rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    found = context_gradient(scores, h, slopes)
    softmax, context, direct, through, both = attention_equations(scores, found, 2)
    alpha = np.exp(scores[1]) / np.exp(scores).sum()
    assert softmax.numbers_latex.endswith(f"= {number_latex(alpha)}")
    assert number_latex(np.exp(scores).sum()) in softmax.numbers_latex
    assert context.numbers_latex.endswith("h_5") and direct.numbers_latex.endswith(number_latex(alpha))
    c = found.weights @ h
    rank_one = alpha * np.outer(h[1] - c, slopes[1])
    assert through.numbers_latex.endswith(f"= {number_latex(np.linalg.norm(rank_one, 2))}")
    assert both.numbers_latex.endswith(f"= {number_latex(np.linalg.norm(alpha * np.eye(4) + rank_one, 2))}")


def test_numbers_too_small_for_a_plain_one_are_powers_of_ten() -> None:
    scores = np.array([-20.0, 0.0])
    found = context_gradient(scores, np.eye(2), np.eye(2))
    assert attention_equations(scores, found, 1)[2].numbers_latex.endswith(r"2.06\times 10^{-9}")
