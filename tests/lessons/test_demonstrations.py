"""Every demonstration shows what it says, in every cell that it is offered for."""

from __future__ import annotations

import numpy as np
import pytest

from explorer import Experiment, run
from explorer.cells import CELLS
from explorer.holds import format_holds, parse_holds
from explorer.lessons.demonstrations import DEMONSTRATIONS, demonstration_of, demonstrations_for
from explorer.measures import gradient_norms
from explorer.measures.keeping import keeping
from explorer.measures.lanes import LaneDerivatives, lane_derivatives, lane_shares
from explorer.trace import Trace

CASES = [(found.id, kind) for found in DEMONSTRATIONS for kind in found.cells]


def shown(name: str, experiment: Experiment) -> tuple[Trace, LaneDerivatives]:
    (found,) = [found for found in demonstrations_for(experiment) if found.id == name]
    trace = run(experiment.changed("hold", found.hold_in(experiment)))
    assert demonstration_of(trace.experiment) is found
    assert not trace.notes
    lanes = lane_derivatives(trace)
    assert lanes is not None
    return trace, lanes


@pytest.mark.parametrize("name, kind", CASES)
def test_what_must_come_out_comes_out(name: str, kind: str) -> None:
    experiment = Experiment(cell={"kind": kind}, hidden_size=8, num_steps=100, batch_size=2)
    trace, lanes = shown(name, experiment)
    kept, state = keeping(trace), lanes.state
    assert kept is not None
    if name in ("carousel", "keep-all", "never-due"):
        norms = gradient_norms(trace, state)[:100]
        np.testing.assert_allclose(norms - norms[50], 0, atol=1e-12)
        assert (lanes.direct == 0).all() and (lanes.full == 0).all()
        shares = lane_shares(trace).shares[state]
        np.testing.assert_allclose(shares[np.isfinite(shares)], 1, atol=1e-12)
    elif name in ("wipe", "cut"):
        for curve in (lanes.direct, lanes.full, *gradient_norms(trace, state).T, *gradient_norms(trace).T):
            assert np.isneginf(curve[:50]).all() and np.isfinite(curve[50:]).all()
        assert kept.cuts.tolist() == [50]
        first, *_ = parse_holds(trace.experiment.hold)
        leaky = run(trace.experiment.changed("hold", format_holds([first])))
        assert np.isfinite(gradient_norms(leaky)[1:]).all(), "the second gate lets a part past"
    elif name in ("forget-all", "renew"):
        assert np.isneginf(lanes.direct[:100]).all() and kept.cuts.tolist() == list(range(1, 101))
        norms = gradient_norms(trace)
        assert np.isfinite(norms).all()
        if name == "forget-all":
            assert (np.median(norms[50:99], axis=1) < -0.5 * np.arange(50, 1, -1)).all()
    elif name in ("half", "half-update"):
        assert lanes.direct[0] == pytest.approx(-100 * np.log10(2))
        assert kept.half_life == pytest.approx(1)
    elif name == "closed-output":
        assert (trace.states["h"][1:] == 0).all()
        assert np.isneginf(gradient_norms(trace, "c")).all()
        assert np.isneginf(gradient_norms(trace)[:-1]).all()
    elif name == "closed-input":
        assert (trace.states["c"] == 0).all() and (trace.states["h"] == 0).all()
        assert np.isfinite(lanes.direct).all()
    elif name == "always-due":
        assert np.isneginf(lanes.direct[:100]).all() and np.isfinite(lanes.full).all()
        np.testing.assert_allclose(lane_shares(trace).shares["hidden"], 1)
    else:
        assert name == "no-reset"
        assert np.isneginf(lane_shares(trace).norms["new_hidden"]).all()


@pytest.mark.parametrize("update", ["keeps", "renews"])
def test_keeping_everything_follows_the_convention_of_z(update: str) -> None:
    experiment = Experiment(cell={"kind": "gru", "update": update}, hidden_size=4, num_steps=10, batch_size=1)
    _, lanes = shown("keep-all", experiment)
    assert (lanes.direct == 0).all()


def test_holds_name_gates_of_their_cells_and_fit_the_shortest_sequence() -> None:
    for found in DEMONSTRATIONS:
        for kind in found.cells:
            experiment = Experiment(cell={"kind": kind}, num_steps=2)
            holds = parse_holds(found.hold_in(experiment))
            assert {hold.gate for hold in holds} <= set(experiment.cell.gates)
            assert all((hold.last or 1) <= 2 for hold in holds)


def test_every_gated_cell_has_one_and_names_are_unique() -> None:
    ids = [found.id for found in DEMONSTRATIONS]
    assert len(ids) == len(set(ids))
    offered = {kind for found in DEMONSTRATIONS for kind in found.cells}
    assert offered == {kind for kind, (_, cell) in CELLS.items() if cell.gates}


def test_own_holds_are_no_demonstration() -> None:
    assert demonstration_of(Experiment(cell={"kind": "lstm"}, hold="forget=0.3")) is None
    assert demonstration_of(Experiment()) is None
