"""One Lift epoch of 10,000 samples, and the same per-sample scheme in eager torch and in Keras.

One process, one thread, best of some repeats taken in turns. The frameworks run fewer samples,
since their time per sample does not depend on how many there are. Ours is timed twice: `train`,
which makes a Step with copies of everything for each sample, and `fit`, which does not.

Run as `python -m benchmarks.schemes`; exit status 1 where a ratio is below its floor.
"""

import argparse
import os
import sys
import time

os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import keras
import numpy as np
import torch

from reference.schemes import data, lift
from suites import torch_schemes

FLOORS = {"torch": 5.0, "keras": 20.0}
SAMPLES = {"train": 10_000, "fit": 10_000, "torch": 400, "keras": 60}


def ours(run):
    """Seconds per sample of `train` or `fit`."""

    def once(X, y):
        start = lift.start([0])
        begin = time.perf_counter()
        made = run(X, y, start)
        for _ in made if run is lift.train else ():
            pass
        return (time.perf_counter() - begin) / len(X)

    return once


def in_torch(X, y):
    """Seconds per sample of the eager loop."""
    start = {name: w[0] for name, w in lift.start([0]).items()}
    steps = torch_schemes.lift_run(X, y, start)
    next(steps)
    begin = time.perf_counter()
    for _ in steps:
        pass
    return (time.perf_counter() - begin) / (len(X) - 1)


def keras_models():
    """The document's two models, compiled as there, with its version's RMSprop settings."""

    def made(hidden, outputs):
        layers = keras.layers.Dense(hidden, activation="relu"), keras.layers.Dense(outputs)
        model = keras.Sequential([keras.Input((3,)), *layers])
        model.compile(loss="mse", optimizer=keras.optimizers.RMSprop(0.001))
        return model

    return made(5, 1), made(10, 26)


def in_keras(X, y):
    """Seconds per sample; train_on_batch, which is faster than the document's fit."""
    task, lifter = keras_models()
    X, y = X.astype(np.float32), y.astype(np.float32)
    shapes = [w.shape for w in task.get_weights()]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])

    def learn(k):
        x = X[k : k + 1]
        flat = keras.ops.convert_to_numpy(lifter(x))[0]
        parts = np.split(flat, ends[:-1])
        task.set_weights([p.reshape(s) for p, s in zip(parts, shapes, strict=True)])
        task.train_on_batch(x, y[k : k + 1, None])
        target = np.concatenate([w.ravel() for w in task.get_weights()])
        lifter.train_on_batch(x, target[None])

    for k in range(5):
        learn(k)
    begin = time.perf_counter()
    for k in range(5, len(X)):
        learn(k)
    return (time.perf_counter() - begin) / (len(X) - 5)


def measure(repeats):
    """Best seconds per sample by name."""
    X, y = data.lift()["train"]
    runs = {"train": ours(lift.train), "fit": ours(lift.fit), "torch": in_torch, "keras": in_keras}
    best = dict.fromkeys(runs, np.inf)
    for _ in range(repeats):
        for name, run in runs.items():
            best[name] = min(best[name], run(X[: SAMPLES[name]], y[: SAMPLES[name]]))
    return best


def main(arguments=None):
    """Print the table; 1 where a floor is not reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    torch.set_num_threads(1)
    best = measure(parser.parse_args(arguments).repeats)
    names = {
        "train": "reference, a Step for each sample",
        "fit": "reference, no Steps",
        "torch": f"torch {torch.__version__}, eager",
        "keras": f"keras {keras.__version__} on torch, train_on_batch",
    }
    print(f"{'Lift, 10,000 samples':<44}{'us/sample':>10}{'epoch, s':>10}{'ratio':>8}")
    for name, label in names.items():
        ratio = best[name] / best["train"]
        print(f"{label:<44}{best[name] * 1e6:10.1f}{best[name] * 1e4:10.2f}{ratio:8.1f}")
    short = [name for name, floor in FLOORS.items() if best[name] / best["train"] < floor]
    for name in short:
        print(f"{name}: less than {FLOORS[name]:g} times as long", file=sys.stderr)
    return int(bool(short))


if __name__ == "__main__":
    raise SystemExit(main())
