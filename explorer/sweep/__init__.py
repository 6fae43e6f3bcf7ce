"""Many runs at once: sweeps over settings as labelled arrays, and the whole range of one knob."""

from __future__ import annotations

from explorer.sweep.columns import knobs
from explorer.sweep.knob_range import KnobRange, knob_range
from explorer.sweep.labelled import Cancelled, sweep
from explorer.sweep.measures import MEASURES, Measure
from explorer.sweep.parts import Part, sweep_parts

__all__ = [
    "MEASURES",
    "Cancelled",
    "KnobRange",
    "Measure",
    "Part",
    "knob_range",
    "knobs",
    "sweep",
    "sweep_parts",
]
