"""The truth meter: the engine's gradients against PyTorch autograd and against finite differences.

Nothing is taken from the formulas in ``explorer.cells`` or from the engine's loops.
"""

from __future__ import annotations

from explorer.verify.verification import Verification, verify

__all__ = ["Verification", "verify"]
