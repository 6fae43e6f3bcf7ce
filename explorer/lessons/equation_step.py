"""EquationStep: one line of a derivation, in symbols and with the numbers of the moment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EquationStep:
    """One line of backpropagation through time.

    Attributes:
        title: a few words.
        latex: the formula in symbols (KaTeX).
        numbers_latex: the same with the numbers of the chosen step and sample.
        explain: one sentence.
    """

    title: str
    latex: str
    numbers_latex: str
    explain: str
