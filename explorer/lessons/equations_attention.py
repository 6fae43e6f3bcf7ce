"""One look of the attention, line by line: scores, weights, context, and its derivative."""

from __future__ import annotations

import numpy as np

from explorer.lessons.equation_step import EquationStep
from explorer.lessons.magnitudes import number_latex as n
from explorer.seq2seq.context import ContextGradient


def attention_equations(scores: np.ndarray, found: ContextGradient, k: int) -> list[EquationStep]:
    """The lines for annotation ``k`` ≥ 1, with the numbers of one look at scores [Te]."""
    at = k - 1
    alpha, e = float(found.weights[at]), float(scores[at])
    away, slope = (
        float(np.linalg.norm(part[at])) for part in (found.by_score / alpha, found.score_gradients)
    )
    through, total = float(found.through_score_norms[at]), float(np.linalg.norm(found.total[at], 2))
    shown = [*found.weights[:2], found.weights[-1]]
    mixed = rf"{n(shown[0])}\,h_1 + {n(shown[1])}\,h_2"
    if len(found.weights) > 2:
        mixed += rf" + \dots + {n(shown[2])}\,h_{len(found.weights)}"
    return [
        EquationStep(
            "Softmax",
            r"\alpha_i = \frac{\exp e_i}{\sum_k \exp e_k}",
            rf"\alpha_{k} = \frac{{e^{{{n(e)}}}}}{{{n(float(np.exp(scores).sum()))}}} = {n(alpha)}",
            "Every weight depends on every score, and all weights together are 1.",
        ),
        EquationStep(
            "Context",
            r"c = \sum_i \alpha_i h_i",
            rf"c = {mixed}",
            "The decoder gets this mixture of all states of the encoder.",
        ),
        EquationStep(
            "Back along the direct path",
            r"\Big(\frac{\partial c}{\partial h_i}\Big)_{\text{direct}} = \alpha_i I",
            rf"\lVert \alpha_{k} I \rVert = {n(alpha)}",
            "No matrix and no slope: however far away the word is, the weight alone shortens its gradient.",
        ),
        EquationStep(
            "Back through the score",
            r"\Big(\frac{\partial c}{\partial h_i}\Big)_{\text{score}} = \alpha_i (h_i - c)"
            r"\Big(\frac{\partial e_i}{\partial h_i}\Big)^{\!\top}",
            rf"{n(alpha)} \cdot {n(away)} \cdot {n(slope)} = {n(through)}",
            "A change of the annotation also moves its own weight; where the attention is sure, hᵢ is the "
            "context and this path is closed.",
        ),
        EquationStep(
            "Both",
            r"\frac{\partial c}{\partial h_i} = \alpha_i \Big(I + (h_i - c)"
            r"\Big(\frac{\partial e_i}{\partial h_i}\Big)^{\!\top}\Big)",
            rf"\Big\lVert \frac{{\partial c}}{{\partial h_{k}}} \Big\rVert = {n(total)}",
            "The lengths of the two parts do not simply add up, because the parts have directions.",
        ),
    ]
