"""A process that has loaded every library, and makes a worker of itself for each training run.

Python's own process pools run the main script once more in every new process, which under Streamlit is the
whole dashboard. This one is started as a module, so its copies know nothing of the page, and a copy is there
in milliseconds where a fresh process loads PyTorch for seconds.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_LET_GO_EVERY = 2.0  # seconds between two looks for workers that have ended
_ALONE = 60.0  # seconds after which it gives up where nobody has connected: who started it is gone
_SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Nursery:
    """The page's side: gives a connection to a new worker, and starts the process when it is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._control: Connection | None = None
        self._address: tuple[str, int] = ("127.0.0.1", 0)
        self._key = b""

    def connect(self) -> Connection:
        """A connection to a worker of its own; raises OSError where no process can be started."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._start()
            return Client(self._address, authkey=self._key)

    def warm_up(self) -> None:
        """Start the process beforehand, beside whatever else is going on."""
        threading.Thread(target=lambda: self.connect().close(), name="nursery", daemon=True).start()

    def close(self) -> None:
        """End the process; workers end by themselves when their connections do."""
        with self._lock:
            if self._process is not None and self._control is not None:
                self._control.close()
                self._process.wait(10)
                self._process = None

    def _start(self) -> None:
        self._key = secrets.token_bytes(32)
        paths = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "explorer.training.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **dict.fromkeys(_SINGLE, "1"), "PYTHONPATH": paths},
            text=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._process.stdin as sink:
            sink.write(self._key.hex())
        with self._process.stdout as source:
            port = source.readline().strip()
        if not port:
            raise OSError("the process that makes training workers did not start")
        self._address = ("127.0.0.1", int(port))
        self._control = Client(self._address, authkey=self._key)


def serve(key: bytes, prepare: Callable[[], Callable[[Connection], None]]) -> None:
    """Make a worker for every connection but the first, whose end is the end of this process."""
    kinds = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in kinds else "spawn")
    with socket.create_server(("127.0.0.1", 0)) as server, selectors.DefaultSelector() as selector:
        print(server.getsockname()[1], flush=True)
        sys.stdout = sys.stderr  # nobody reads the pipe any more
        work = prepare()
        selector.register(server, selectors.EVENT_READ)
        control: Connection | None = None
        began = time.monotonic()
        while control is not None or time.monotonic() - began < _ALONE:
            multiprocessing.active_children()  # those that ended are let go
            for ready, _ in selector.select(_LET_GO_EVERY):
                if ready.fileobj is not server:
                    return
                link = _accepted(server, key)
                if link is None:
                    continue
                if control is None:
                    control = link
                    selector.register(control, selectors.EVENT_READ)
                    continue
                context.Process(target=work, args=(link,), daemon=False).start()  # type: ignore[attr-defined]
                link.close()


def _accepted(server: socket.socket, key: bytes) -> Connection | None:
    """The next connection; None where it does not know the key."""
    link = Connection(server.accept()[0].detach())
    try:
        deliver_challenge(link, key)
        answer_challenge(link, key)
    except (multiprocessing.AuthenticationError, EOFError, OSError):
        link.close()
        return None
    return link


def _prepare() -> Callable[[Connection], None]:
    """Load what a run needs, so that no worker has to; a backward pass would forbid copies of the process."""
    from explorer.experiment import Experiment
    from explorer.training.recipe import Recipe
    from explorer.training.trainer import Trainer
    from explorer.training.worker import work

    Trainer(Recipe(experiment=Experiment(hidden_size=2, num_steps=2, batch_size=1), steps=1))
    return work


if __name__ == "__main__":
    serve(bytes.fromhex(sys.stdin.read()), _prepare)
    os._exit(0)  # without waiting for workers: they end with their own connections
