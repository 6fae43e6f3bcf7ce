"""What can be read off a trace: norms, weight gradients, the ledger, half-lives and a verdict in words."""

from __future__ import annotations

from explorer.measures.decay import decades_lost, half_life
from explorer.measures.input_gradient import input_gradient_norms, input_gradients
from explorer.measures.keeping import Keeping, keeping
from explorer.measures.lanes import LaneDerivatives, LaneShares, lane_derivatives, lane_shares
from explorer.measures.ledger import Ledger, ledger, state_norms
from explorer.measures.norms import gradient_norms
from explorer.measures.saturation import gate_sentences, slopes_all_one
from explorer.measures.verdict import Verdict, verdict
from explorer.measures.weight_gradient import weight_gradient_by_step, weight_gradient_total

__all__ = [
    "Keeping",
    "LaneDerivatives",
    "LaneShares",
    "Ledger",
    "Verdict",
    "decades_lost",
    "gate_sentences",
    "gradient_norms",
    "half_life",
    "input_gradient_norms",
    "input_gradients",
    "keeping",
    "lane_derivatives",
    "lane_shares",
    "ledger",
    "slopes_all_one",
    "state_norms",
    "verdict",
    "weight_gradient_by_step",
    "weight_gradient_total",
]
