"""Gradient dynamics in recurrent networks: experiment → run → trace → measure → figure."""

from __future__ import annotations

from explorer.experiment import Experiment
from explorer.trace import Trace, run

__all__ = ["Experiment", "Trace", "run"]
