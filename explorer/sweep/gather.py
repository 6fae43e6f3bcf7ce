"""Jobs done here or by an executor's workers; what a killed worker had is done again."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from itertools import chain

from explorer.sweep.jobs import Found, compute
from explorer.sweep.plan import Task

Workers = Executor | Callable[[], Executor]

_IN_FLIGHT = 64  # jobs that are handed over at most before their results are here
_EXECUTORS = 3  # that may break before the rest is done here


def gather(tasks: Iterable[Task], workers: Workers | None = None) -> Iterator[tuple[Task, Found]]:
    """Every task with its result: in their order without workers, else as the results come.

    Args:
        tasks: what is to be done, the most urgent first.
        workers: any ``concurrent.futures`` executor, or a function that makes one. None: this process.

    Where an executor breaks because one of its processes was killed, that is reported by a
    ``RuntimeWarning``, and what it had is done again: by a new executor if ``workers`` can make one, at last
    in this process. Closing the iterator cancels what was handed over and not begun.
    """
    rest = iter(tasks)
    if isinstance(workers, Executor):
        rest = chain((yield from _by_executor(rest, workers)), rest)
    elif workers is not None:
        for _ in range(_EXECUTORS):
            executor = workers()
            try:
                lost = yield from _by_executor(rest, executor)
            finally:
                executor.shutdown(wait=False, cancel_futures=True)
            if not lost:
                return
            rest = chain(lost, rest)
    for task in rest:
        yield task, compute(task.job)


def _by_executor(
    tasks: Iterator[Task], executor: Executor
) -> Generator[tuple[Task, Found], None, list[Task]]:
    """Results of all tasks; or, when the executor breaks, of some, and it returns those that it lost."""
    running: dict[Future[Found], Task] = {}
    lost: list[Task] = []
    try:
        while True:
            while not lost and len(running) < _IN_FLIGHT and (task := next(tasks, None)):
                try:
                    running[executor.submit(compute, task.job)] = task
                except BrokenExecutor:
                    lost.append(task)
            if not running:
                break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                try:
                    found = future.result()
                except BrokenExecutor:
                    lost.append(task)
                else:
                    yield task, found
    finally:
        for future in running:
            future.cancel()
    if lost:
        message = f"A worker process was killed: {len(lost)} parts of the sweep are done again."
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    return sorted(lost, key=lambda task: task.index)
