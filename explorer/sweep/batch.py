"""Runs side by side as the measures of a sweep see them: what none of them asks for is not computed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from explorer.cells import RNN
from explorer.cells.integrator import Integrator
from explorer.engine.backward import Backward, Source, backward
from explorer.engine.forward import Forward, System, forward
from explorer.engine.lyapunov import vector_growth
from explorer.experiment import Experiment
from explorer.measures.decay import half_life_of_norms
from explorer.measures.ledger import state_norms
from explorer.measures.norms import log10_norms
from explorer.measures.orbits import in_window
from explorer.measures.saturation import OPEN, SHUT
from explorer.systems import draw_readout
from explorer.trace import Trace

if TYPE_CHECKING:
    from explorer.engine.fused import FusedPass

_WRITTEN = ("cell", "new")  # recorded among the gates, but they are what is written
_SETTLING = 6  # the first T // 6 steps do not count for the Lyapunov exponent


class Batch:
    """A system whose forward pass is made once, by the loops that suffice, for all horizons up to its end.

    Args:
        system: n points, columns [n · B].
        ends_only: whether nothing but ∂L/∂s_0 will be asked for.
    """

    def __init__(self, system: System, *, ends_only: bool) -> None:
        from explorer.engine.fused import fused_pass  # loads torch, which takes a second

        self.system = system
        self.fused: FusedPass | None = fused_pass(system) if ends_only else None

    @cached_property
    def record(self) -> Forward:
        """The forward pass of the general loops."""
        return forward(self.system)


class Runs:
    """The runs of a batch up to one horizon.

    Args:
        batch: n points.
        experiment: what they have in common; its ``num_steps`` is the horizon T.
    """

    def __init__(self, batch: Batch, experiment: Experiment) -> None:
        self._batch, self._experiment = batch, experiment
        self._loss_weights, _ = experiment.loss.weights(experiment.num_steps)
        self.loss_step = int(np.flatnonzero(self._loss_weights)[-1])

    def loss_norms(self) -> np.ndarray:
        """log10‖g_s‖ [n, B] at the last step s that the loss reads."""
        value, exponents = self._source.values[self.loss_step], self._source.exponents[:1]
        return self._by_point(log10_norms(value[None], exponents)[0])

    def start_norms(self, *states: str) -> np.ndarray:
        """log10‖∂L/∂s_0‖ [n, B] of these states, or of all of them as one long vector."""
        totals, exponents = self._start
        arrays = [totals[name][None] for name in states or totals]
        return self._by_point(log10_norms(arrays, exponents[None])[0])

    def half_lives(self) -> np.ndarray:
        """Half-life of each point, [n]."""
        norms = state_norms(self._trace)[: self.loss_step + 1]
        points = norms.reshape(len(norms), -1, self._experiment.batch_size)
        return np.array([half_life_of_norms(points[:, k]) for k in range(points.shape[1])])

    def growth_rates(self) -> np.ndarray:
        """Growth of a tangent vector after settling, [n, B] in nats per step."""
        experiment, system = self._experiment, self._batch.system
        settle = experiment.num_steps // _SETTLING
        dimension = len(experiment.cell.states) * experiment.hidden_size
        vector = experiment.rng("lyapunov").standard_normal((dimension, 1))
        vectors = np.tile(vector / np.linalg.norm(vector), (1, system.drive.shape[2]))
        growth = vector_growth(system, self._record, vectors.astype(system.matrix.dtype), settle)
        _, logs = in_window(growth, settle)
        return self._by_point(logs.sum(axis=0) / (experiment.num_steps - settle))

    def saturated_shares(self) -> np.ndarray:
        """Share of saturated units or of shut and open gates, [n, B]."""
        record, cell = self._record, self._experiment.cell
        h = record.states["h"]
        if cell.gates:
            gates = [record.gates[:, k] for k, name in enumerate(cell.gates) if name not in _WRITTEN]
            shares = np.mean([((gate < SHUT) | (gate > OPEN)).mean(axis=(0, 1)) for gate in gates], axis=0)
        elif isinstance(cell, RNN | Integrator) and cell.function.saturated_below:
            values = h[1:]
            if isinstance(cell, Integrator):
                values = cell.function.function(record.slots[:, 0] - cell.rates[2] * h[:-1])
            # 1 − φ² < ε is |φ| > √(1 − ε)
            shares = (np.abs(values) > np.sqrt(1 - cell.function.saturated_below)).mean(axis=(0, 1))
        else:
            shares = np.zeros(h.shape[2])
        return self._by_point(np.where(np.isnan(h[-1]).any(axis=0), np.nan, shares))

    def _by_point(self, columns: np.ndarray) -> np.ndarray:
        return columns.reshape(-1, self._experiment.batch_size)

    @cached_property
    def _readout(self) -> np.ndarray:
        return draw_readout(self._experiment)

    @cached_property
    def _source(self) -> Source:
        system = self._batch.system
        readout = np.repeat(self._readout[:, None], system.drive.shape[2], axis=1)
        return Source.of_loss(self._loss_weights, readout.astype(system.matrix.dtype))

    @cached_property
    def _record(self) -> Forward:
        return _until(self._batch.record, self._experiment.num_steps)

    @cached_property
    def _adjoints(self) -> Backward:
        return backward(self._batch.system, self._record, self._source)

    @cached_property
    def _start(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """∂L/∂s_0 of every state, [H, C], and exponents [C]."""
        found = None if self._batch.fused is None else self._batch.fused.start(self._source)
        if found is not None:
            return found
        adjoints = self._adjoints
        return {name: array[0] for name, array in adjoints.totals.items()}, adjoints.exponents[0]

    @property
    def _trace(self) -> Trace:
        """A trace with a column for each point and sample, for measures that read nothing but its passes."""
        return Trace(
            experiment=self._experiment,
            weights={},
            inputs=np.empty((self._experiment.num_steps, 0, 0)),
            system=self._batch.system,
            forward=self._record,
            backward=self._adjoints,
            readout=self._readout,
            loss_weights=self._loss_weights,
        )


def _until(record: Forward, num_steps: int) -> Forward:
    """The first steps of a forward pass."""
    return Forward(
        {name: array[: num_steps + 1] for name, array in record.states.items()},
        record.slots[:num_steps],
        record.gates[:num_steps],
        None if record.exponents is None else record.exponents[: num_steps + 1],
        None if record.largest is None else record.largest[:num_steps],
        record.conditions.rows(0, num_steps),
    )
