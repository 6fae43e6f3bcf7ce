"""The two halves of a bidirectional network: one looks back from the loss, the other ahead of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.overlay import Curve, overlay, overlay_alt
from explorer.figures.style import Figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.measures.architecture_table import ArchitectureRun

HALVES = ("forward half", "backward half")


def v_shape(forward: np.ndarray, backward: np.ndarray, loss_steps: Sequence[int] | np.ndarray) -> Figure:
    """‖∂L/∂h_t‖ of both halves, which meet at the loss.

    Args:
        forward: log10 norms [T+1, B] of the half that reads from the first step on: exactly 0 after the loss.
        backward: of the half that reads from the last step back: exactly 0 before the loss. Entry 0 is left
            out: this half has no state there.
        loss_steps: steps at which the loss enters; one is marked by a line and its number.
    """
    figure = overlay(_halves(forward, backward), loss_steps=loss_steps, name="v_shape", key=True)
    if len(loss_steps) == 1:
        figure["layout"]["shapes"].append(_loss_line(int(loss_steps[0])))
    return figure


def _halves(forward: np.ndarray, backward: np.ndarray) -> list[Curve]:
    return [Curve(HALVES[0], forward), Curve(HALVES[1], backward[1:], np.arange(1, len(backward)))]


def _loss_line(step: int) -> Figure:
    line = {"width": style.THIN, "color": style.COLORS["loss"], "dash": "dot"}
    return {"type": "line", "xref": "x", "yref": "y domain", "x0": step, "x1": step, "y0": 0, "y1": 1} | {
        "line": line,
        "layer": "below",
    }


def v_shape_alt(forward: np.ndarray, backward: np.ndarray) -> str:
    """One sentence with the numbers of ``v_shape``."""
    curves = _halves(forward, backward)
    said = " and ".join(f"the {one.label} at {np.isfinite(one.median).sum()} steps" for one in curves)
    return f"{overlay_alt(curves)[:-1]}; a gradient reaches {said}."


def plot_v_shape(found: ArchitectureRun, *, dark: bool = False) -> go.Figure:
    """Both halves of the top layer of a bidirectional network; raises ValueError for any other."""
    if found.directions < 2:
        raise ValueError("this network reads in one direction only; a V-shape needs both")
    forward, backward = (found.norms(found.num_layers - 1, d) for d in (0, 1))
    return style.themed(v_shape(forward, backward, np.flatnonzero(found.loss_weights)), dark)
