"""All singular values of a product of many layers, side by side for each way of joining them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.ensembles.layers import KINDS
from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.kind_looks import check_kinds, key_margin, kind_curve, kind_entry, kind_key
from explorer.figures.style import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.ensembles.layers import LayerStack


def layer_spectrum(values: Mapping[str, np.ndarray]) -> Figure:
    """Sorted log10 σ_i against i/n, so that layers of different size share an axis.

    Args:
        values: kind of ``KINDS`` → [n] singular values of the whole product in decades; −inf for exact zeros
            and NaN for what is not known are left out and counted in words.

    Raises ValueError for no kind or one that is not in ``KINDS``.
    """
    check_kinds(values)
    rows = {kind: _descending(row) for kind, row in values.items()}
    low, high = log.decade_range(*rows.values())
    data: list[Figure] = []
    for kind, row in rows.items():
        share = (np.arange(len(row)) + 0.5) / len(row)
        hover = f"{KINDS[kind].label}<br>share %{{x:.2f}}<br>σ = 10<sup>%{{y:.2f}}</sup><extra></extra>"
        data += kind_curve(kind, share, log.finite(row), meta="decades", hovertemplate=hover)
    notes = [kind_key([kind_entry(kind) for kind in rows])]
    said = _left_out("exactly 0", {kind: np.isneginf(row) for kind, row in rows.items()})
    said += _left_out("not known", {kind: np.isnan(row) | (row == np.inf) for kind, row in rows.items()})
    if said:
        place: Figure = {
            "xanchor": "right",
            "yanchor": "bottom",
            "align": "right",
            "bgcolor": style.BACKGROUND,
        }
        notes.append(style.note("<br>".join(said), 0.99, 0.02, paper=True, **place))
    layout = style.layout(
        "layer_spectrum",
        meta={"x": "share of all directions", "y": "log10 of the singular value"},
        xaxis=style.axis("share of directions, largest σ first", -0.02, 1.02, nticks=6),
        yaxis=log.decade_axis("singular value σ", low, high),
        annotations=notes,
        hovermode="closest",
        margin=key_margin(len(rows)),
    )
    return {"data": data, "layout": layout}


def _descending(row: np.ndarray) -> np.ndarray:
    """Largest first, then exact zeros, then NaN."""
    row = np.asarray(row, dtype=float)
    known = row[~np.isnan(row)]
    return np.concatenate([np.sort(known)[::-1], np.full(len(row) - len(known), np.nan)])


def _left_out(text: str, masks: Mapping[str, np.ndarray]) -> list[str]:
    """How many σ of each kind are so, under a common heading."""
    counts = [
        f"{KINDS[kind].label} {mask.sum()} of {len(mask)}" for kind, mask in masks.items() if mask.any()
    ]
    return [f"σ {text}:", *counts] if counts else []


def layer_spectrum_alt(values: Mapping[str, np.ndarray]) -> str:
    """One sentence with the numbers of ``layer_spectrum``."""
    said = []
    for kind, row in values.items():
        row = _descending(row)
        first, middle = log.number(float(row[0])), log.number(float(row[len(row) // 2]))
        said.append(", ".join([f"{KINDS[kind].label} largest {first} and median {middle}", *_zeros(row)]))
    return f"Singular values of the whole product: {'; '.join(said)}."


def _zeros(row: np.ndarray) -> list[str]:
    count = int(np.isneginf(row).sum())
    return [f"{count} of {len(row)} exactly 0"] if count else []


def plot_layer_spectrum(stacks: Sequence[LayerStack], *, dark: bool = False) -> go.Figure:
    """Singular values of the whole product of the first seed of stacks of different kinds."""
    from explorer.ensembles.products import product_singular_values

    values: dict[str, np.ndarray] = {
        stack.kind: product_singular_values(stack, [stack.depth])[0] for stack in stacks
    }
    return style.themed(layer_spectrum(values), dark)
