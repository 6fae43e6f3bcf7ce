"""Settings of all tests."""

import gc
import os
import tempfile

from hypothesis import settings

# How long an example takes says more about what else the machine does than about the code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

# The libraries' own threads only get into each other's way beside several test processes.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# Trained weights that tests store are nobody's; servers and workers that tests start inherit it.
os.environ["GRADIENT_EXPLORER_HOME"] = tempfile.mkdtemp(prefix="gradient-explorer-tests-")


def pytest_collection_finish() -> None:
    """What is loaded by now stays until the end: the garbage collector need not look through it again."""
    gc.collect()
    gc.freeze()
