"""The snippet, executed, draws what the page draws."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

import explorer as ex
from explorer.figures.gradient import TRACES
from explorer.lessons.snippet import snippet

SMALL = ex.Experiment(hidden_size=6, num_steps=12, batch_size=3)
PINS = [
    SMALL.changed("cell", "lstm").changed("cell.forget_bias", 3),
    SMALL.changed("num_steps", 20),
    SMALL.changed("signal", "text").changed("signal.text", "<b>'\"\\\n🙂 {x}"),
    SMALL,
]


def drawn(source: str, monkeypatch: pytest.MonkeyPatch) -> tuple[go.Figure, dict[str, Any]]:
    """What the last line shows, and the variables."""
    shown: list[go.Figure] = []
    monkeypatch.setattr(go.Figure, "show", lambda figure: shown.append(figure))
    room: dict[str, Any] = {}
    exec(source, room)
    (figure,) = shown
    return figure, room


def median(experiment: ex.Experiment) -> np.ndarray:
    return np.asarray(np.median(ex.gradient_norms(ex.run(experiment)), axis=1))


@pytest.mark.parametrize("samples", [False, True])
@pytest.mark.parametrize("count", [0, 1, 4])
def test_it_draws_the_present_and_the_pinned_settings(
    count: int, samples: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure, room = drawn(snippet(SMALL, PINS[:count], samples), monkeypatch)
    assert room["experiment"] == SMALL
    assert figure.data[TRACES["median"]].name == "this setting"
    np.testing.assert_allclose(figure.data[TRACES["median"]].y, median(SMALL), atol=1e-12)
    for k in range(4):
        curve = figure.data[TRACES[f"ghost_{k + 1}"]]
        if k < count:
            np.testing.assert_allclose(curve.y, median(PINS[k]), atol=1e-12)
        else:
            assert len(curve.y) == 0
    assert (len(figure.data[TRACES["samples"]].y) > 0) == samples


def test_labels_are_those_of_the_page_and_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    pins = [PINS[0], SMALL, SMALL]
    figure, _ = drawn(snippet(SMALL, pins), monkeypatch)
    names = [figure.data[TRACES[f"ghost_{k}"]].name for k in (1, 2, 3)]
    assert names == ["LSTM · forget bias 3", "same settings", "same settings (2)"]
    figure, _ = drawn(snippet(SMALL, PINS[2:3]), monkeypatch)
    assert "&lt;b&gt;" in figure.data[TRACES["ghost_1"]].name


def test_pins_too_large_to_run_are_left_out() -> None:
    huge = ex.Experiment(cell={"kind": "lstm"}, hidden_size=512, num_steps=1000, batch_size=64)
    assert snippet(SMALL, [huge]) == snippet(SMALL)
    assert (
        snippet(ex.Experiment()).splitlines()[-1] == 'ex.plot_gradient_norms({"this setting": trace}).show()'
    )
