"""Concat attention."""

from __future__ import annotations

from typing import ClassVar

from explorer.seq2seq.attention.additive import Additive


class Concat(Additive):
    r"""As additive attention, but asked with the present state.

    .. math:: e_{ji} = v^\top \tanh(W_a [s_j; h_i]) = v^\top \tanh(W s_j + U h_i), \qquad W_a = [W, U]

    The same score as Bahdanau's: what differs is that s_j has been computed before it looks, so c_j does not
    enter the cell of its own step. Luong, Pham & Manning (2015), equation 8, "concat".
    """

    asks_before: ClassVar[bool] = False
