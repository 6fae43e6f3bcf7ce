"""What a memory network reads of a story in each hop, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from explorer.figures import style
from explorer.figures.style import BLUE, GREEN, OCHRE, TEXT, VERMILLION, Figure, translucent

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.seq2seq.memory import MemoryNetwork, Stories

_ROW = 23  # pixels of a sentence, at least
_PALE = 0.04  # opacity of a weight of 0
_BRIGHT = 0.6  # weight from which on the number in its cell is white
_MARKS = 66  # pixels at the right for the marks of the supporting sentences
_BELOW = 0.4  # rows between the story and its question


def story_height(sentences: int) -> int:
    """Pixels in which every sentence of a story can be read."""
    return max(340, _ROW * (sentences + 3) + 46)


def memory_story(
    weights: np.ndarray,
    lines: Sequence[str],
    support: Sequence[int],
    question: str,
    given: tuple[str, float],
    right: str,
) -> Figure:
    """A row for each sentence, a column of attention weights for each hop; the question and the answer below.

    Args:
        weights: p of each hop, [K, S].
        lines: the sentences, the newest last.
        support: positions of those that the answer follows from, in the order of the reasoning.
        question: in words.
        given: the network's answer and its probability.
        right: the right answer.
    """
    hops, count = weights.shape
    x, y = np.arange(1, hops + 1), np.arange(count)
    scale = [[0.0, translucent(BLUE, _PALE)], [1.0, translucent(BLUE, 1)]]
    heat: Figure = {"type": "heatmap", "name": "weight", "x": x, "y": y, "zmin": 0.0, "zmax": 1.0}
    heat |= {"z": np.ascontiguousarray(weights.T, dtype=np.float32), "colorscale": scale}
    heat |= {"xgap": 3, "ygap": 2, "showscale": False, "text": [[line] * hops for line in lines]}
    heat |= {"hovertemplate": "%{text}<br>hop %{x}: p = %{z:.3g}<extra></extra>"}
    flat = weights.T.ravel()
    numbers: Figure = {"type": "scatter", "mode": "text", "name": "number", "hoverinfo": "skip"}
    numbers |= {"x": np.tile(x, count), "y": np.repeat(y, hops), "text": [_share(weight) for weight in flat]}
    colors = ["#FFFFFF" if weight > _BRIGHT else TEXT for weight in flat]
    numbers |= {"textfont": {"size": style.FONT, "color": colors}}
    low = count + _BELOW
    labels = [f"<b>{line}</b>" if i in support else line for i, line in enumerate(lines)]
    rows = {"tickvals": [*range(count), low], "ticktext": [*labels, f"<b>{question}</b>"], "ticklen": 0}
    above = {"tickvals": x, "ticktext": [f"hop {k}" for k in x], "side": "top", "ticklen": 0}
    looks = {"tickmode": "array", "showgrid": False, "tickfont": {"size": style.FONT}}
    layout = style.layout(
        f"memory_story:{hops}:{count}",
        meta={"x": "hop", "y": "sentence", "z": "attention weight"},
        xaxis=style.axis("", 0.5, hops + 0.5, **above, **looks, fixedrange=True),
        yaxis=style.axis("", low + 1.3, -0.6, **rows, **looks, fixedrange=True),
        shapes=[_frame(line, hops) for line in support],
        annotations=[*_marks(support, hops), _answer(low, given, right)],
        margin=style.MARGIN | {"t": style.LEGEND_TOP, "r": _MARKS, "b": 8},
    )
    return {"data": [heat, numbers], "layout": layout}


def memory_story_alt(
    weights: np.ndarray, lines: Sequence[str], question: str, given: tuple[str, float], right: str
) -> str:
    """One sentence with the largest weight of each hop, the answer and the right one."""
    said = [
        f"hop {k} looks most at “{lines[look.argmax()]}” with {_share(look.max())}"
        for k, look in enumerate(weights, 1)
    ]
    end = "which is right" if given[0] == right else f"but right is {right}"
    return f"{question} {', '.join(said)}; the answer is {given[0]} with {given[1]:.0%}, {end}."


def plot_memory_story(network: MemoryNetwork, story: Stories, *, dark: bool = False) -> go.Figure:
    """What a network does with the first story."""
    from explorer.seq2seq.memory import PLACES, run_memory, text_of

    trace, (lines, question, right) = run_memory(network, story), text_of(story)
    best = int(trace.probabilities.argmax())
    support = [int(i) for i in story.support[0] if i >= 0]
    given = PLACES[best], float(trace.probabilities[best])
    return style.themed(memory_story(trace.weights, lines, support, question, given, right), dark)


def _share(weight: float) -> str:
    return "< .01" if weight < 0.005 else f"{weight:.2f}"


def _frame(line: int, hops: int) -> Figure:
    place = {"x0": 0.5, "x1": hops + 0.5, "y0": line - 0.5, "y1": line + 0.5}
    return {"type": "rect", "line": {"width": style.THIN, "color": OCHRE}} | place


def _marks(support: Sequence[int], hops: int) -> list[Figure]:
    """Which fact each framed sentence is."""
    place: Figure = {"color": OCHRE, "xanchor": "left", "xshift": 4}
    names = ["fact 1", "fact 2"] if len(support) > 1 else ["fact"]
    return [
        style.note(f"◂ {name}", hops + 0.5, line, **place) for name, line in zip(names, support, strict=True)
    ]


def _answer(row: float, given: tuple[str, float], right: str) -> Figure:
    """The answer beside its question; that it is right is said by colour and sign."""
    word, probability = given
    if word == right:
        color, said = GREEN, f"✓ {word} {probability:.0%}"
    else:
        color, said = VERMILLION, f"✗ {word} {probability:.0%}<br>right: {right}"
    place: Figure = {"xref": "x domain", "xanchor": "left", "yanchor": "top", "yshift": 13, "align": "left"}
    place["font"] = {"size": style.FONT, "color": color}
    return style.note(f"<b>{said}</b>", 0, row, **place)
