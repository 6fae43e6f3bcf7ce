"""Figures of whole networks for notebooks: what a run holds is what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import Experiment, figures, run
from explorer.measures.architecture_table import SingleRun
from explorer.measures.modules import modules
from explorer.measures.reservoir import memory_capacity
from explorer.networks import run_network

SMALL = Experiment(hidden_size=4, num_steps=9, batch_size=3).changed("loss", "step").changed("loss.step", 5)
BOTH = SMALL.changed("network", {"kind": "layers", "num_layers": 2, "direction": "both"})


def medians(norms):
    return np.median(norms, axis=1)


def test_the_layer_grid_of_a_run():
    found = run_network(BOTH)
    (heat, losses) = figures.plot_layer_grid(found).data
    wanted = np.stack([medians(found.norms(k, d)[1:]) for k in (0, 1) for d in (0, 1)])
    np.testing.assert_allclose(heat.z, np.where(np.isfinite(wanted), wanted, np.nan), rtol=1e-6)
    assert list(heat.x) == list(range(1, 10)) and list(losses.x) == [5]
    deep = run_network(SMALL.changed("network", {"kind": "layers", "num_layers": 3}))
    assert figures.plot_layer_grid(deep).data[0].z.shape == (3, 10)


def test_the_v_shape_of_a_run():
    found = run_network(BOTH)
    forward, backward = figures.plot_v_shape(found).data[:2]
    np.testing.assert_allclose(forward.y[:6], medians(found.norms(1, 0))[:6])
    np.testing.assert_allclose(backward.y[4:], medians(found.norms(1, 1))[5:])
    with pytest.raises(ValueError, match="one direction only"):
        figures.plot_v_shape(SingleRun(run(SMALL)))


def test_the_drawing_of_a_run():
    drawn = figures.plot_unrolled(run_network(BOTH), cursor=3)
    labels = drawn.layout.yaxis.ticktext
    assert labels == ("input", "layer 1 →", "layer 1 ←", "layer 2 →", "layer 2 ←", "loss")
    assert 3 in drawn.layout.xaxis.tickvals
    single = figures.plot_unrolled(SingleRun(run(SMALL)))
    assert single.layout.yaxis.ticktext == ("input", "h", "loss")


def test_both_halves_of_the_loss_make_up_the_readout():
    """The readout has length 1 and is shared by the halves of the top layer."""
    heads = figures.plot_unrolled(run_network(BOTH), cursor=3).data[0]
    said = [text for text in heads.hovertext if text.startswith("from the loss")]
    sizes = [float(text.rsplit(" ", 1)[1]) for text in said]
    assert len(sizes) == 2 and sum(size**2 for size in sizes) == pytest.approx(1, abs=0.01)


def test_states_modules_and_memory_of_a_run():
    found = run_network(BOTH)
    heat = figures.plot_small_states({"both": found}, sample=1).data[0]
    np.testing.assert_allclose(heat.z[:4], found.states(1, 0)[1:, 1].T, rtol=1e-6)
    np.testing.assert_allclose(heat.z[4:], found.states(1, 1)[1:, 1].T, rtol=1e-6)
    trace = run(SMALL.changed("cell", "clockwork"))
    marks = figures.plot_module_map(trace).data[1]
    assert len(marks.x) == modules(trace).active.sum()
    echo = SMALL.changed("cell", "echo")
    np.testing.assert_array_equal(figures.plot_memory_curve(echo).data[0].y, memory_capacity(echo).capacity)
