"""Workers share the cores: with a pool of threads each for all of them they would only wait."""

import os


def pytest_configure(config):
    # Before xdist starts its workers, which inherit it; what the caller has set stays.
    if getattr(config.option, "numprocesses", None):
        os.environ.setdefault("OMP_NUM_THREADS", "1")
