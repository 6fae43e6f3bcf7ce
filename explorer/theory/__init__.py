"""Closed forms and bounds for gradients over time, computed from weights alone and exact in log10."""

from __future__ import annotations

from explorer.theory.bounds import gradient_bound, largest_singular_value
from explorer.theory.closed_forms import ClosedForm, cell_path_reference, closed_form
from explorer.theory.half_lives import half_life_of_forget_gate

__all__ = [
    "ClosedForm",
    "cell_path_reference",
    "closed_form",
    "gradient_bound",
    "half_life_of_forget_gate",
    "largest_singular_value",
]
