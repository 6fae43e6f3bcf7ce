"""Closed forms and bounds for gradients over time, computed from weights alone and exact in log10."""

from __future__ import annotations

from explorer.theory.bounds import gradient_bound, largest_singular_value
from explorer.theory.closed_forms import ClosedForm, cell_path_reference, closed_form
from explorer.theory.half_lives import half_life_of_forget_gate
from explorer.theory.mean_field import (
    MeanField,
    chi_1,
    correlation_map,
    critical_line,
    length_map,
    mean_field,
    mean_field_curve,
)
from explorer.theory.mean_field_of import chi_grid, mean_field_of, mean_field_tolerance, why_no_mean_field

__all__ = [
    "ClosedForm",
    "MeanField",
    "cell_path_reference",
    "chi_1",
    "chi_grid",
    "closed_form",
    "correlation_map",
    "critical_line",
    "gradient_bound",
    "half_life_of_forget_gate",
    "largest_singular_value",
    "length_map",
    "mean_field",
    "mean_field_curve",
    "mean_field_of",
    "mean_field_tolerance",
    "why_no_mean_field",
]
