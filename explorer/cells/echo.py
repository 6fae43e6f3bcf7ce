"""The leaky unit of an echo-state network."""

from __future__ import annotations

from typing import Literal

from explorer.cells.integrator import Integrator, bias_parameter
from explorer.parameters import parameter


class Echo(Integrator):
    r"""Leaky reservoir of an echo-state network (Jaeger 2001; leak: Jaeger, Lukoševičius et al. 2007).

    .. math::
        a_t = W x_t + b_{ih} + U h_{t-1} + b_{hh}, \qquad
        h_t = (1 - \alpha)\, h_{t-1} + \alpha \tanh(a_t)

    Shapes: x [I], h and a [H], W [H, I], U [H, H]. Jacobian, with D = diag(1/cosh²(a_t)):
    ∂h_t/∂h_{t-1} = (1 − α) I + α D U. In use W and U stay as they are drawn and only a linear readout is
    fitted: training never needs the gradient that is drawn here, which says how long the reservoir
    remembers. α = 1 is the tanh RNN.
    """

    kind: Literal["echo"] = "echo"
    leak_rate: float = parameter(
        0.3,
        "leak rate α",
        "The part of a unit that is new at every step: small is slow, 1 is a plain tanh network.",
        bounds=(0, 1),
        step=0.01,
    )
    bias: float = bias_parameter()

    @property
    def rates(self) -> tuple[float, float, float]:
        """1 − α, α, 0."""
        return 1.0 - self.leak_rate, self.leak_rate, 0.0
