"""Trace: what one run recorded, and ``run``, which makes one from an experiment."""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from explorer.cells.cell import Partials
from explorer.engine.backward import Backward, Source, backward, partial_blocks
from explorer.engine.forward import Forward, System, forward
from explorer.experiment import Experiment
from explorer.memory import MEMORY_LIMIT, TooLarge, memory_needed, refuse_too_large
from explorer.systems import draw_readout, initial_states, make_conditions, make_system
from explorer.weights import Weights, check_weights, draw_weights, finite_array, trained_note

__all__ = ["MEMORY_LIMIT", "TooLarge", "Trace", "make_system", "memory_needed", "run"]

_SMALL = 2e7  # bytes of slots up to which a trace's derivatives are kept
_latest: tuple[Callable[[], object], list[tuple[int, Partials]]] = (lambda: None, [])  # of which trace, which


@dataclass
class Trace:
    """One run: states, gates and gradients of every step, sample and unit.

    Attributes:
        experiment: the settings.
        weights: torch.nn names → float64 arrays.
        inputs: x, [T, B, I].
        system: matrices and drive as the time loops use them.
        forward, backward: raw records, feature-major [time, …, H, B], with their exponents.
        readout: v, [H]; loss_weights: w_t, [T+1]: L = Σ_t w_t Σ_b v·h_t[b].
        notes: one sentence for everything that was cut, repeated or found out of range.
        of_network: whether this is a layer of a network: then more than its own loss enters its gradient.
    """

    experiment: Experiment
    weights: Weights
    inputs: np.ndarray
    system: System
    forward: Forward
    backward: Backward
    readout: np.ndarray
    loss_weights: np.ndarray
    notes: list[str] = field(default_factory=list)
    of_network: bool = False

    @cached_property
    def states(self) -> dict[str, np.ndarray]:
        """Name → [T+1, B, H]; entry 0 is the initial state. Values beyond the float range are ±inf."""
        exponents = self.forward.exponents
        result = {}
        for name, array in self.forward.states.items():
            with np.errstate(over="ignore", under="ignore"):
                values = array if exponents is None else np.ldexp(array, exponents[:, None])
            result[name] = np.moveaxis(values, 1, 2)
        return result

    @cached_property
    def gates(self) -> dict[str, np.ndarray]:
        """Gate name → [T, B, H]; entry t-1 belongs to step t."""
        names = self.experiment.cell.gates
        return {name: np.moveaxis(self.forward.gates[:, k], 1, 2) for k, name in enumerate(names)}

    @cached_property
    def slots(self) -> dict[str, np.ndarray]:
        """Pre-activations by slot name, [T, B, H]; where states carry an exponent so do these."""
        wiring = self.experiment.cell.wiring()
        return {slot.name: np.moveaxis(self.forward.slots[:, k], 1, 2) for k, slot in enumerate(wiring)}

    @property
    def num_steps(self) -> int:
        """T."""
        return len(self.forward.slots)

    def partial_blocks(self) -> Iterator[tuple[int, Partials]]:
        """(first step, element-wise derivatives) of blocks of steps, last block first.

        Those of the small trace that was asked last are kept: most measures of a picture need them.
        """
        global _latest
        if self.forward.slots.nbytes > _SMALL:
            return partial_blocks(self.system, self.forward)
        of, blocks = _latest
        if of() is not self:
            blocks = list(partial_blocks(self.system, self.forward))
            _latest = weakref.ref(self), blocks
        return iter(blocks)

    def save(self, path: str | Path) -> None:
        """Write settings, weights, inputs and initial state as .npz: enough to get every number again.

        Raises ValueError for a layer of a network: what enters its gradient is not among them.
        """
        if self.of_network:
            raise ValueError("this trace is a layer of a network: run_network(experiment) gives it again")
        arrays = {f"weights.{name}": array for name, array in self.weights.items()}
        arrays |= {f"initial.{name}": array for name, array in self.system.initial.items()}
        np.savez_compressed(
            path,
            experiment=self.experiment.canonical(),
            inputs=self.inputs,
            readout=self.readout,
            notes=json.dumps(self.notes),
            **arrays,  # type: ignore[arg-type]
        )

    @classmethod
    def load(cls, path: str | Path) -> Trace:
        """The trace that ``save`` wrote, run again from the stored arrays."""
        with np.load(path) as stored:
            groups: dict[str, dict[str, np.ndarray]] = {"weights": {}, "initial": {}}
            for name in stored.files:
                group, _, key = name.partition(".")
                if group in groups:
                    groups[group][key] = stored[name]
            experiment = Experiment.model_validate(json.loads(str(stored["experiment"])))
            trace = run(
                experiment,
                weights=groups["weights"],
                inputs=stored["inputs"],
                initial_state={name: array.T for name, array in groups["initial"].items()},
                readout=stored["readout"],
            )
            trace.notes = json.loads(str(stored["notes"]))
            return trace


def run(
    experiment: Experiment,
    *,
    weights: Mapping[str, object] | None = None,
    inputs: object | None = None,
    initial_state: Mapping[str, object] | None = None,
    readout: object | None = None,
) -> Trace:
    """Forward and backward pass of an experiment.

    Args:
        experiment: all settings; the rest replaces what it would draw.
        weights: torch.nn names and gate order (``weight_ih`` … or ``weight_ih_l0`` …), e.g. a ``state_dict``.
        inputs: x, [T, B, I], instead of the signal; any I.
        initial_state: state name → [B, H]; missing states are 0.
        readout: v, [H], with L = Σ_t w_t Σ_b v·h_t[b].

    Raises:
        ValueError: an array of the wrong shape, with NaN or infinity, or an unknown name; says which.
        TooLarge: more than 1 GB would be needed.
    """
    if experiment.network.kind != "single":
        raise ValueError("this experiment is a network of layers: run_network(experiment) runs it")
    steps, batch, size = experiment.num_steps, experiment.batch_size, experiment.hidden_size
    width = experiment.signal.input_size if inputs is None else width_of(inputs)
    refuse_too_large(experiment, width)
    x, notes = given_inputs(experiment, inputs, width)
    drawn = draw_weights(experiment, width) if weights is None else check_weights(weights, experiment, width)
    if readout is None:
        v = draw_readout(experiment)
    else:
        v = finite_array("readout", readout, (size,), f"hidden_size={size}")
    loss_weights, loss_notes = experiment.loss.weights(steps)
    system = make_system(experiment, drawn, x, initial_states(experiment, initial_state))
    source = Source.of_loss(loss_weights, np.repeat(v[:, None], batch, axis=1).astype(experiment.dtype))
    trace = traced(experiment, drawn, x, system, forward(system), source, v, loss_weights)
    said = trained_note(experiment, width) if weights is None else []
    trace.notes = said + notes + loss_notes + trace.notes
    return trace


def traced(
    experiment: Experiment,
    weights: Weights,
    x: np.ndarray,
    system: System,
    record: Forward,
    source: Source,
    readout: np.ndarray,
    loss_weights: np.ndarray,
) -> Trace:
    """The trace of a forward pass: runs the way back from what ``source`` puts into ∂L/∂h."""
    adjoints = backward(system, record, source)
    notes = make_conditions(experiment, weights)[1] + _out_of_range(record, adjoints)
    return Trace(experiment, weights, x, system, record, adjoints, readout, loss_weights, notes)


def given_inputs(experiment: Experiment, inputs: object | None, width: int) -> tuple[np.ndarray, list[str]]:
    """x [T, B, I], given or that of the signal, with its sentences."""
    steps, batch = experiment.num_steps, experiment.batch_size
    if inputs is None:
        return experiment.signal.draw(experiment.rng("signal"), steps, batch)
    return finite_array("inputs", inputs, (steps, batch, width), "num_steps, batch_size and input size"), []


def width_of(inputs: object) -> int:
    """I of own inputs; 0 where they are no array of three axes, which ``finite_array`` then names."""
    try:
        shape = np.shape(inputs)  # type: ignore[call-overload]
    except ValueError:
        return 0
    return shape[2] if len(shape) == 3 else 0


def _out_of_range(record: Forward, adjoints: Backward) -> list[str]:
    """Sentences on states that left the float range and on numbers that are not numbers."""
    notes, tiny = [], np.finfo(record.slots.dtype).tiny
    steepest = float(-np.log(tiny) / 2)  # |pre-activation| at which tanh's slope is as small as that
    if record.exponents is not None:
        powers = np.frexp(np.abs(record.states["h"]).max(axis=1))[1] + record.exponents
        limit = np.finfo(record.slots.dtype).maxexp
        steps = np.flatnonzero((powers > limit).any(axis=1))
        if len(steps):
            notes.append(
                f"States exceed the largest {record.slots.dtype.name} from step {steps[0]} on; they are "
                "carried as mantissa and exponent, so gradients stay exact."
            )
    elif record.largest is not None and record.largest.max() > steepest:
        notes.append(
            f"Some pre-activations exceed {steepest:.0f}, where slopes leave the range of {tiny.dtype.name}: "
            f"those {-np.log10(tiny):.0f} decades below the largest of their step count as 0."
        )
    for name, array in record.states.items():
        # A bounded h that is no number makes the next step's slots none, and those were looked at already.
        seen = name == "h" and record.largest is not None and np.isfinite(record.largest).all()
        if (bad := _first_bad(array[-1:] if seen else array)) is not None:
            notes.append(
                f"State {name} is not a finite number from step {len(array) - 1 if seen else bad} on."
            )
        elif _shut_cell(array, name, adjoints, steepest):
            notes.append(
                f"State {name} exceeds {steepest:.0f}, where slopes leave the range of {tiny.dtype.name}: a "
                f"gradient of {name} that is {-np.log10(tiny):.0f} decades below that of h counts as 0."
            )
    for name, array in adjoints.totals.items():
        # What is no number stays none on its way back.
        if _first_bad(array[:1]) is not None:
            bad = len(array) - 1 - (_first_bad(array[::-1]) or 0)
            notes.append(f"The gradient of {name} is not a finite number at step {bad} and before.")
    return notes


def _shut_cell(state: np.ndarray, name: str, adjoints: Backward, limit: float) -> bool:
    """Whether a state is so large that its slope, and so its gradient beside that of h, counts as 0."""
    if name == "h" or not max(state.max(), -state.min()) > limit:
        return False
    lost = ~adjoints.totals[name].any(axis=1) & adjoints.totals["h"].any(axis=1)
    return bool((lost & (np.abs(state) > limit).any(axis=1)).any())


def _first_bad(array: np.ndarray) -> int | None:
    """First index of axis 0 with NaN or infinity; one pass where all is well."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(array.sum()):
            return None
    bad = np.flatnonzero(~np.isfinite(array).all(axis=(1, 2)))
    return int(bad[0]) if len(bad) else None
