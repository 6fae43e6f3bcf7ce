"""Networks of cells: layers, both directions, residual connections and a convolution in front."""

from __future__ import annotations

from explorer.networks.network import NetworkTrace, run_network

__all__ = ["NetworkTrace", "run_network"]
