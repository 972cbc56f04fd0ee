"""What the library computes for document (003): the component network and its bench."""

import numpy as np

from reference.schemes import bench
from reference.schemes.components import Affinity, Identity, Map, Network
from reference.schemes.step import last

# Parameters the notebook prints: In [14], In [25], In [40].
IN14 = [[-0.21533062, 0.28402263], [-0.28379346, -1.35249073]], [0.61141609, -1.15769416]
IN25 = [[-1.41364637, 1.16071821], [0.66063039, 0.42396354]], [0.06821949, -1.07695745]
XOR = [[1.18691118, 0.10949354], [1.40113726, -0.73322905]], [-0.96443749, -0.11239461]

PLUS_ONE = Map(lambda x: x + 1, np.ones_like)
DOUBLE = Map(lambda x: 2 * x, lambda x: np.full_like(x, 2))
HALF_SQUARE = Map(lambda x: x * x / 2, lambda x: x)


def swap(v):
    return v[::-1]


def facts():
    """Three facts: (2n, 2n + 1) and the same turned round."""
    return [
        (np.arange(2.0 * n, 2 * n + 2), np.arange(2.0 * n + 1, 2 * n - 1, -1)) for n in range(3)
    ]


def potential(parameters, ideal=lambda v: v, alpha=None):
    tested = bench.Bench(Network([Affinity(*parameters)]), ideal)
    return np.float64(tested.learning_potential(alpha=alpha))


def in69():
    """What the global stream holds after the bench has drawn 100 facts."""
    drawn = np.random.RandomState(3).randn(206)[200:]
    return drawn[:4].reshape(2, 2), drawn[4:]


def in70():
    network = Network([Affinity(*in69()), HALF_SQUARE])
    found = bench.Bench(network, lambda v: [(v[0] - v[1]) ** 2, 0]).learning_potential()
    return str(found)


def extended():
    """The 100 facts' inputs with a 1 appended."""
    stream = bench.Bench(Network([Identity()])).facts(100)
    return np.array([np.append(x, 1.0) for x, _ in stream])


def largest():
    return (extended() ** 2).sum(1).max()


def sensitivity():
    return bench.sensitivity(list(bench.Bench(Network([Identity()])).facts(100)), 0.1)


def doubling():
    net = Network([Affinity(np.eye(2), np.zeros(2)), DOUBLE])
    return np.array([net(np.array([3.0, 5])), net(np.array([7.0, 11]))])


COMPUTED = {
    "003.identity.loss": lambda: last(Network([Identity()]).learn(facts())).loss,
    "003.plus_one.loss": lambda: last(Network([PLUS_ONE]).learn(facts())).loss,
    "003.plus_one.output": lambda: Network([PLUS_ONE])(np.array([2.0, 3])),
    "003.doubling.In24": lambda: Network([Affinity(*IN25), DOUBLE])(np.array([3.0, 5])),
    "003.doubling.identity": doubling,
    "003.In69.M": lambda: in69()[0],
    "003.In69.b": lambda: in69()[1],
    "003.In70.potential": in70,
    "003.potential.identity": lambda: potential(IN14),
    "003.potential.swap": lambda: potential(IN14, swap),
    "003.potential.xor": lambda: np.array([potential(XOR), potential(XOR, swap)]),
    **{
        f"003.potential.alpha.{a}": lambda a=a: potential(IN14, alpha=a)
        for a in (0.001, 0.01, 0.05, 0.1, 0.2, 0.3)
    },
    "003.sensitivity": sensitivity,
    "003.largest_square": largest,
    "003.stable_alpha": lambda: 2 / largest(),
    "003.first_sample": lambda: extended()[0, :2],
}
