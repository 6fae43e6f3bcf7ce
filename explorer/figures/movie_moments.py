"""One moment of a training run beside its beginning: the gradient over time, and W_hh's eigenvalues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import decades as log
from explorer.figures import style
from explorer.figures.style import BLUE, COLORS, GREY, MUTED, TEXT, Figure
from explorer.figures.training_movie import Film

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.training.training import Training

_NOW, _ZEROS, _NO_NUMBERS = 0, 1, 2  # the traces of ``movie_curve`` that move
_POINTS = 0  # and the one of ``movie_eigenvalues``
_LIMITS = (1.1, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 8.0, 10.0, 20.0, 50.0, 100.0)
_LIFT = 0.03  # of the axis, between its end and the strips of what has no place on it


def movie_curve(film: Film, at: int) -> Figure:
    """‖∂L/∂h_t‖ over time at one recorded training step, and before training as a dotted line.

    The axis holds the curves of all recorded steps, so that it rests while ``at`` moves. Exact zeros and what
    is no number are strips at its lower end, which are named.
    """
    z = film.shown
    last = z.shape[1] - 1
    x = np.arange(last + 1)
    low, high = log.decade_range(z)
    tracks = movie_curve_tracks(film)
    hover = log.log_hover("share" if film.share else "size")
    line: Figure = {"type": "scatter", "mode": "lines", "x": x}
    strip: Figure = {"type": "scatter", "mode": "lines", "x": _slots(x), "hoverinfo": "skip"}
    begin = {"width": style.THIN, "color": GREY, "dash": "dot"}
    data = [
        line
        | {"y": tracks[_NOW][at], "name": "now", "meta": "decades", "zorder": 2, "hovertemplate": hover}
        | {"line": {"width": style.WIDTH, "color": BLUE}},
        strip | {"y": tracks[_ZEROS][at], "line": {"width": 6, "color": COLORS["zero"]}},
        strip | {"y": tracks[_NO_NUMBERS][at], "line": {"width": 6, "color": COLORS["not_finite"]}},
        line
        | {"y": log.finite(z[0]), "name": "before training", "meta": "decades", "line": begin}
        | {"hovertemplate": hover},
    ]
    entries = [("now", BLUE, "solid"), ("before training", GREY, "dot")]
    if np.isneginf(z).any():
        entries.append(("exactly 0", COLORS["zero"], "bar"))
    if _no_number(z).any():
        entries.append(("no number", COLORS["not_finite"], "bar"))
    layout = style.layout(
        f"movie_curve:{last}:{film.share}",
        meta={"x": "time step t", "y": f"log10 of the {film.quantity}"},
        xaxis=style.time_axis(last),
        yaxis=log.decade_axis("share" if film.share else "gradient", low, high),
        annotations=[style.key(*entries)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def movie_curve_tracks(film: Film) -> dict[int, np.ndarray]:
    """The curve and its strips for all recorded steps, [R, points]."""
    z = film.shown
    bottom, top = log.padded(*log.decade_range(z))
    level = bottom + _LIFT * (top - bottom)
    return {
        _NOW: log.finite(z),
        _ZEROS: _strips(np.isneginf(z), level),
        _NO_NUMBERS: _strips(_no_number(z), level),
    }


def movie_curve_alt(film: Film, at: int) -> str:
    """One sentence with the numbers of ``movie_curve``."""
    z = film.shown
    first, last = (log.number(float(z[at][k])) for k in (1, -1))
    zeros = int(np.isneginf(z[at]).sum())
    end = f", and exactly 0 at {zeros} time steps" if zeros else ""
    return (
        f"After {film.recorded[at]} training steps the {film.quantity} is {first} at time step 1 "
        f"and {last} at the last one{end}; before training it was {log.number(float(z[0][1]))} at step 1."
    )


def plot_movie_curve(
    training: Training, r: int = -1, *, share: bool = False, dark: bool = False
) -> go.Figure:
    """The gradient over time at ``training.recorded[r]`` and before training."""
    return style.themed(movie_curve(Film.of(training, share), r), dark)


def _slots(x: np.ndarray) -> np.ndarray:
    """A short piece of line around every time step, with a gap behind it, [3(T+1)]."""
    return np.stack([x - 0.5, x + 0.5, np.full(len(x), np.nan)], axis=1).ravel()


def _strips(mask: np.ndarray, level: float) -> np.ndarray:
    """The height of these pieces, NaN where nothing is marked, [R, 3(T+1)]."""
    return np.repeat(np.where(mask, level, np.nan), 3, axis=1)


def _no_number(z: np.ndarray) -> np.ndarray:
    return np.asarray(np.isnan(z) | np.isposinf(z))


def movie_eigenvalues(values: np.ndarray, at: int) -> Figure:
    """Eigenvalues of one block of W_hh at one recorded training step, and hollow those before training.

    Args:
        values: the eigenvalues at every recorded step, complex, [R, H]; the axes hold all of them.
        at: the recorded step that is drawn.
    """
    values = np.asarray(values)
    x, y = movie_eigenvalues_tracks(values)[_POINTS]
    small = values.shape[1] > 128
    spot: Figure = {"type": "scatter", "mode": "markers"}
    spot |= {"hovertemplate": "%{x:.3g} %{y:+.3g}i<extra></extra>"}
    full = {"size": 5 if small else 9, "color": BLUE, "opacity": 0.9, "line": {"width": 0}}
    hollow = {"size": 5 if small else 9, "color": style.CLEAR, "line": {"width": 1.5, "color": GREY}}
    ring = np.linspace(0, 2 * np.pi, 121)
    data = [
        spot | {"x": x[at], "y": y[at], "marker": full, "name": "now", "zorder": 2},
        spot | {"x": x[0], "y": y[0], "marker": hollow, "name": "before training"},
        {"type": "scatter", "mode": "lines", "x": np.cos(ring), "y": np.sin(ring), "name": "unit circle"}
        | {"line": {"width": style.THIN, "color": TEXT}, "hoverinfo": "skip", "zorder": -1},
    ]
    reach = 1.05 * max(1.0, float(np.abs(values).max(where=np.isfinite(values), initial=0.0)))
    limit = next((step for step in _LIMITS if step >= reach), reach)
    axis = {"zeroline": True, "zerolinecolor": MUTED, "nticks": 5, "constrain": "domain"}
    notes = [style.key(("now", BLUE, "point"), ("before training", GREY, "ring"))]
    if not np.isfinite(values).all():
        text = "some are not finite numbers"
        notes.append(style.note(text, 0.02, 0.02, paper=True, xanchor="left", yanchor="bottom"))
    layout = style.layout(
        "movie_eigenvalues",
        meta={"x": "real part", "y": "imaginary part"},
        xaxis=style.axis("real", -limit, limit, **axis),
        yaxis=style.axis("imaginary", -limit, limit, scaleanchor="x", scaleratio=1, **axis),
        annotations=notes,
        margin=style.MARGIN | {"t": style.LEGEND_TOP},
    )
    return {"data": data, "layout": layout}


def movie_eigenvalues_tracks(values: np.ndarray) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """The points for all recorded steps, (x, y) [R, H] each."""
    return {_POINTS: (np.real(values).astype(float), np.imag(values).astype(float))}


def movie_eigenvalues_alt(values: np.ndarray, at: int) -> str:
    """One sentence with the numbers of ``movie_eigenvalues``."""
    before, now = (float(np.abs(values[r]).max()) for r in (0, at))
    outside = int((np.abs(values[at]) > 1).sum())
    return (
        f"{outside} of {values.shape[1]} eigenvalues lie outside the unit circle; "
        f"the spectral radius is {now:.3g} and was {before:.3g} before training."
    )


def plot_movie_eigenvalues(
    training: Training, r: int = -1, *, block: int = 0, dark: bool = False
) -> go.Figure:
    """Eigenvalues of one block of W_hh at ``training.recorded[r]`` and before training."""
    return style.themed(movie_eigenvalues(training.eigenvalues[:, block], r), dark)
