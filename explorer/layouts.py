"""How copies of the cell are put together: one alone, or layers in one direction or both."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from explorer.parameters import Parameters, parameter


class Single(Parameters):
    """One cell alone, read in one direction."""

    kind: Literal["single"] = "single"

    def widths(self, input_size: int, hidden_size: int) -> list[int]:
        """Numbers that each layer reads at a step."""
        return [input_size]

    @property
    def directions(self) -> int:
        """Cells in a layer."""
        return 1


class Layers(Parameters):
    r"""Deep, bidirectional and residual networks of any cell, with a convolution in front if wanted.

    .. math::
        y^0_t = x_t, \qquad
        \overrightarrow h^l_t = F(y^{l-1}_t, \overrightarrow h^l_{t-1}), \quad
        \overleftarrow h^l_t = F(y^{l-1}_t, \overleftarrow h^l_{t+1}), \qquad
        y^l_t = m^l_t \odot (\overrightarrow h^l_t, \overleftarrow h^l_t) \; [\, + \; y^{l-1}_t \,]

    m is the mask of the dropout between layers, the last term the residual connection. Layers as in
    ``torch.nn.LSTM(num_layers=…, bidirectional=…)``, with W_ih of the upper layers as PyTorch draws it: the
    input scale multiplies the lowest one only. Both directions: Schuster & Paliwal (1997); residual
    connections: He et al. (2016), between recurrent layers Wu et al. (2016).
    """

    kind: Literal["layers"] = "layers"
    num_layers: int = parameter(
        2, "layers", "How many recurrent layers stand on each other.", bounds=(1, 8), step=1
    )
    direction: Literal["forward", "both"] = parameter(
        "forward",
        "direction",
        "Whether a second cell in each layer reads the sequence from its end.",
        names={"forward": "forward", "both": "bidirectional"},
    )
    skip: Literal["none", "residual"] = parameter(
        "none",
        "between layers",
        "Whether a layer's input is added to its output, from the second layer on.",
        names={"none": "nothing", "residual": "residual connections"},
    )
    dropout: float = parameter(
        0.0,
        "dropout",
        "Probability with which an output of a layer below the top is set to 0; the rest is scaled up.",
        bounds=(0, 0.9),
        step=0.05,
    )
    front: Literal["none", "convolution"] = parameter(
        "none",
        "front",
        "What reads the input before the first layer: a convolution with ReLU and pooling makes a CNN-LSTM.",
        names={"none": "nothing", "convolution": "convolution"},
    )
    kernel: int = parameter(
        3, "kernel width", "How many steps the convolution sees at once.", bounds=(1, 15), step=1
    )
    channels: int = parameter(
        8, "channels", "How many features the convolution makes of them.", bounds=(1, 64), step=1
    )
    pooling: int = parameter(
        2,
        "pooling",
        "How many steps the maximum is taken of: the layers see that many fewer.",
        bounds=(1, 16),
        step=1,
    )

    @property
    def directions(self) -> int:
        """Cells in a layer."""
        return 2 if self.direction == "both" else 1

    def widths(self, input_size: int, hidden_size: int) -> list[int]:
        """Numbers that each layer reads at a step."""
        first = input_size if self.front == "none" else self.channels
        return [first] + [self.directions * hidden_size] * (self.num_layers - 1)

    def steps(self, num_steps: int) -> int:
        """T' = ⌈T / pooling⌉ behind a convolution, else T: how many steps the layers take."""
        return num_steps if self.front == "none" else -(-num_steps // self.pooling)


Layout = Annotated[Single | Layers, Field(discriminator="kind")]

LAYOUTS: dict[str, tuple[str, type[Parameters]]] = {
    "single": ("one cell", Single),
    "layers": ("layers", Layers),
}
