"""The truth meter: the engine's gradients against PyTorch autograd and against finite differences.

Nothing is taken from the engine's loops, and for the cells of ``TEXTBOOKS`` nothing from the formulas in
``explorer.cells``; the states at which derivatives are compared are those of the run.
"""

from __future__ import annotations

from explorer.verify.verification import Verification, verify

__all__ = ["Verification", "verify"]
