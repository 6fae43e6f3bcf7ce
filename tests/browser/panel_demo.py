"""A page of invented numbers around the panel, for the browser tests only: run it with ``streamlit run``."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from explorer.app.panel import PanelFigure, Scrub, copy_link_button, frames, panel

STEPS = 100
COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00"]
CELLS = ["tanh RNN", "ReLU RNN", "LSTM", "GRU", "linear"]
DASHES = ["solid", "dash", "dot", "dashdot", "longdash"]
KNOB = np.round(np.linspace(0.5, 2.0, 61), 6)


def curve(cell: int, scale: float) -> np.ndarray:
    """log10 gradient norm over t, invented: a slope set by the knob and a wiggle that differs per cell."""
    back = STEPS - np.arange(STEPS + 1)
    return back * (0.35 * np.log10(scale) - 0.02 * (5 - cell)) + 0.3 * np.sin(back / (3 + cell)) / 7


def scatter(x: np.ndarray, y: np.ndarray, name: str, index: int = 0, **more: Any) -> dict[str, Any]:
    line = {"color": COLORS[index], "width": 3, "dash": DASHES[index]}
    return {"type": "scatter", "mode": "lines", "x": x, "y": y, "name": name, "line": line, **more}


def axes(x: str, y: str, **more: Any) -> dict[str, Any]:
    return {"xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}, **more}


def figures(scale: float, seed: int, gates: bool, broken: bool, legend: bool) -> list[PanelFigure]:
    rng = np.random.default_rng(seed)
    time = np.arange(STEPS + 1)
    heat = np.tanh(rng.normal(size=(64, STEPS + 1)).cumsum(axis=1) / 6).astype(np.float32)
    eigen = rng.normal(size=(2, 64)) / 8
    angle = np.linspace(0, 2 * np.pi, 200)
    main = axes("time step t", "log<sub>10</sub> ‖∂L/∂h<sub>t</sub>‖", yaxis={"range": [-14, 8]})
    main["yaxis"]["title"] = {"text": "log<sub>10</sub> ‖∂L/∂h<sub>t</sub>‖"}
    main["showlegend"] = legend
    main["xaxis"]["range"] = [0, STEPS]
    main["shapes"] = [
        {
            "type": "line",
            "x0": 0,
            "x1": STEPS,
            "y0": 0,
            "y1": 0,
            "line": {"color": "token:muted", "width": 1.5},
        }
    ]
    circle = scatter(np.cos(angle), np.sin(angle), "|λ| = 1")
    circle["line"] = {"color": "token:muted", "width": 1.5}
    dots = {
        "type": "scatter",
        "mode": "markers",
        "x": eigen[0] * scale,
        "y": eigen[1] * scale,
        "name": "eigenvalues",
    }
    loss = np.where(time % 25 == 24, np.nan, np.exp(-time / 30))
    square = axes("Re λ", "Im λ", showlegend=False)
    square["yaxis"] |= {"scaleanchor": "x", "range": [-1.5, 1.5]}
    square["xaxis"] |= {"range": [-2, 2]}
    shown = [
        PanelFigure(
            "gradient",
            "Gradient norm over time",
            "How strongly the loss feels each hidden state.",
            {
                "data": [scatter(time, curve(i, scale), name, i) for i, name in enumerate(CELLS)],
                "layout": main,
            },
            span=8,
            height=360,
            time_axis=True,
            rows=2,
            alt="Five curves falling towards earlier steps.",
        ),
        PanelFigure(
            "states",
            "Hidden states",
            "Each row is a unit, each column a time step.",
            {
                "data": [
                    {"type": "heatmap", "z": heat, "x": time, "colorscale": "RdBu", "zmin": -1, "zmax": 1}
                ],
                "layout": axes("time step t", "unit"),
            },
            height=160,
            time_axis=True,
        ),
        PanelFigure(
            "spectrum",
            "Eigenvalues of W",
            "Outside the circle the linear part grows.",
            {"data": [circle, {**dots, "marker": {"color": COLORS[1], "size": 8}}], "layout": square},
            height=160,
        ),
        PanelFigure(
            "saturation",
            "Saturated units",
            "Share of units whose slope is below 0.1.",
            {
                "data": [scatter(time, np.abs(heat).mean(axis=0), "saturated")],
                "layout": axes("time step t", "share", showlegend=False),
            },
            height=220,
            time_axis=True,
        ),
        PanelFigure(
            "loss",
            "Loss per step",
            "A gap is a step without a number.",
            {
                "data": [scatter(time, loss, "loss", 1)],
                "layout": axes("time step t", "loss", showlegend=False),
            },
            height=220,
            time_axis=True,
        ),
        PanelFigure(
            "histogram",
            "Gradient entries",
            "How the entries spread at the first step.",
            {
                "data": [
                    {
                        "type": "bar",
                        "x": np.arange(20),
                        "y": rng.poisson(9, 20),
                        "marker": {"color": COLORS[2]},
                    }
                ],
                "layout": axes("bin", "count"),
            },
            height=220,
        ),
    ]
    if gates:
        shown.insert(
            3,
            PanelFigure(
                "gates",
                "Gates",
                "Mean forget gate.",
                {
                    "data": [
                        scatter(time, 0.5 + heat.mean(axis=0) / 2, "forget"),
                        scatter(time, 0.4 + heat[0] / 4, "input", 1),
                    ],
                    "layout": axes("time step t", "gate"),
                },
                height=220,
                time_axis=True,
            ),
        )
        shown.append(
            PanelFigure(
                "ledger",
                "Gradient ledger",
                "Slope against matrix.",
                {
                    "data": [{"type": "heatmap", "z": heat.T @ heat, "colorscale": "Viridis"}],
                    "layout": axes("time step t", "step s"),
                },
                height=220,
                time_axis=True,
            )
        )
    if broken:
        shown[-1] = PanelFigure(
            "broken",
            "Broken",
            "This one cannot be drawn.",
            {
                "data": [{"type": "scatter", "y": [1, 2]}],
                "layout": {"xaxis": 7, "shapes": 3, "annotations": [[]]},
            },
        )
    return shown


def demo() -> None:
    st.set_page_config(layout="wide", page_title="Panel demo")
    state = st.session_state
    state.setdefault("scale", 1.0)
    state.setdefault("cursor", 40)

    def take(name: str, value: float) -> None:
        state[name] = value

    seed = st.sidebar.number_input("seed", value=0)
    gates = st.sidebar.checkbox("gates")
    broken = st.sidebar.checkbox("broken")
    slow = st.sidebar.checkbox("no frames")
    legend = st.sidebar.checkbox("legend")
    copy_link_button("copy")
    revision = f"seed {seed}"
    result = panel(
        figures(state["scale"], int(seed), gates, broken, legend),
        num_steps=STEPS,
        cursor=state["cursor"],
        key="panel",
        scrub=Scrub("gradient", "weight scale", state["scale"], revision),
        on_cursor=lambda t: take("cursor", t),
        on_commit=lambda value: take("scale", value),
    )
    if not slow:
        eigen = np.random.default_rng(int(seed))
        eigen.normal(size=(64, STEPS + 1))
        base = eigen.normal(size=(2, 64)) / 8
        tracks = {i: np.stack([curve(i, v) for v in KNOB]).astype(np.float32) for i in range(5)}
        captions = [f"{t[0]:+.1f} decades over {STEPS} steps".replace("-", "−") for t in tracks[2]]
        frames(
            key="panel",
            revision=revision,
            values=KNOB,
            tracks=tracks,
            captions=captions,
            scale_figures={"spectrum": {"trace": 1, "x": base[0], "y": base[1]}},
        )
    st.text(
        f"server: cursor={state['cursor']} scale={state['scale']:.4f} "
        f"commit={result.commit} result={result.cursor}"
    )


def other() -> None:
    st.title("Another page")


st.navigation(
    [
        st.Page(demo, title="Demo", default=True),
        st.Page(other, title="Other", url_path="other"),
        st.Page(demo, title="Again", url_path="again"),
    ]
).run()
