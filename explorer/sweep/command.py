"""``python -m explorer sweep``: a sweep without the page, which goes on from where it was interrupted."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import warnings
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

from explorer.sweep.labelled import sweep
from explorer.sweep.spec import Spec, read_spec

_INTERRUPTED, _REFUSED = 130, 2  # exit codes


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``sweep`` to the commands of a parser."""
    parser = commands.add_parser(
        "sweep",
        help="compute a map over settings and write it as NetCDF",
        description="Computes measures over all combinations of settings and writes them as NetCDF. "
        "Finished parts are kept in a folder beside the output until all are there, so after an "
        "interruption the same command goes on from them.",
    )
    parser.add_argument("spec", type=Path, help="TOML file with [experiment], [over], measure and workers")
    parser.add_argument("-o", "--output", type=Path, required=True, help="file to write, such as map.nc")
    parser.set_defaults(run=lambda given: run_command(given.spec, given.output))


def run_command(spec_path: Path, output: Path) -> int:
    """Run a sweep from file to file; the exit code, after one sentence about whatever went wrong."""
    folder, bar = output.with_name(f"{output.name}.parts"), _Bar()
    with warnings.catch_warnings():
        warnings.simplefilter("always", RuntimeWarning)
        warnings.showwarning = lambda message, *_: bar.say(str(message))
        try:
            spec = read_spec(spec_path)
            if not output.parent.is_dir() or output.is_dir():
                raise ValueError(f"{output} cannot be written: it must be a file in a folder that exists")
            if folder.exists():
                bar.say(f"Going on from the parts in {folder}.")
            _run(spec, output, folder, bar)
        except KeyboardInterrupt:
            bar.say(f"Interrupted: finished parts are kept in {folder}, the same command goes on from them.")
            return _INTERRUPTED
        except (ValueError, OSError) as error:
            bar.say(f"Error: {error}")
            return _REFUSED
    bar.say(f"Written to {output}.")
    return 0


def _run(spec: Spec, output: Path, folder: Path, bar: _Bar) -> None:
    """Compute, write whole or not at all, and tidy up."""
    count = (os.cpu_count() or 1) if spec.workers is None else spec.workers
    # Workers would get into each other's way with more than one thread each.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

    def workers() -> Executor:
        return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), _begin)

    found = sweep(
        spec.experiment,
        spec.over,
        spec.measures,
        executor=workers if count else None,
        progress=bar.draw,
        folder=folder,
    )
    unfinished = output.with_name(f"{output.name}.tmp")
    found.to_netcdf(unfinished, engine="scipy")
    unfinished.replace(output)
    shutil.rmtree(folder)


def _begin() -> None:
    """In a new worker: leave Ctrl-C to the parent, and end when the parent has ended, however it did."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def follow() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=follow, daemon=True).start()


class _Bar:
    """A progress bar in the terminal; where there is none, a line for every tenth."""

    _LENGTH = 30

    def __init__(self) -> None:
        self._live, self._begun, self._tenths = sys.stderr.isatty(), False, 0

    def draw(self, done: int, total: int) -> None:
        """Show how far it is."""
        text = f"{done} of {total} points"
        if self._live:
            filled = self._LENGTH * done // total
            bar = "█" * filled + "░" * (self._LENGTH - filled)
            print(f"\r{bar} {text}", end="", file=sys.stderr, flush=True)
            self._begun = True
        elif 10 * done // total > self._tenths:
            self._tenths = 10 * done // total
            print(text, file=sys.stderr, flush=True)

    def say(self, sentence: str) -> None:
        """A sentence on a line of its own."""
        if self._begun:
            print(file=sys.stderr)
        self._begun = False
        print(sentence, file=sys.stderr, flush=True)
