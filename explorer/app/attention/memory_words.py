"""What the section Memory network says in words."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.seq2seq.memory import PLACES, MemoryMoment, MemoryTrace


def memory_words(
    moments: Sequence[MemoryMoment], questions: int, newest: int, trace: MemoryTrace, lines: Sequence[str]
) -> str:
    """How many questions the networks answer, and where each hop of the shown one looks.

    Args:
        moments: of the networks with 1, 2, … hops.
        questions: how many were asked.
        newest: how many of them the newest place answers.
        trace: of the story in the shown network.
        lines: the sentences of that story.
    """
    right = [
        f"{hops} hop{'s answer' if hops > 1 else ' answers'} {round(moment.accuracy * questions)}"
        for hops, moment in enumerate(moments, 1)
    ]
    said = [
        f"hop {k} {'looks most ' if k == 1 else ''}at “{lines[look.argmax()]}” ({look.max():.2f})"
        for k, look in enumerate(trace.weights, 1)
    ]
    return (
        f"**Of {questions} questions {', '.join(right[:-1])} and {right[-1]} {_when(moments)}.** "
        f"Guessing gets {questions // len(PLACES)}, always the newest place {newest}. "
        f"Here {', '.join(said)}."
    )


def _when(moments: Sequence[MemoryMoment]) -> str:
    if len({moment.step for moment in moments}) > 1:
        return "so far"
    step = moments[0].step
    return f"after {step:,} training steps" if step else "before training"
