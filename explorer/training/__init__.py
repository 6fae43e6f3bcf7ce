"""Training: recipes, runs that record what their gradients do, and checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.training.checkpoint import load_weights, save_weights
from explorer.training.recipe import Recipe
from explorer.training.resumable import train
from explorer.training.training import Training

if TYPE_CHECKING:
    from explorer.training.trainer import Trainer

__all__ = ["Recipe", "Trainer", "Training", "load_weights", "save_weights", "train"]


def __getattr__(name: str) -> object:
    """``Trainer`` when it is asked for: it needs torch, which takes seconds to load."""
    if name == "Trainer":
        from explorer.training.trainer import Trainer

        return Trainer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
