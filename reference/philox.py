"""Philox 4x32-10 (Salmon et al. 2011) and the two random streams TensorFlow draws from it.

With them the runs of document (001) replay without TensorFlow: eager `tf.random.uniform` after
`tf.random.set_seed(seed)`, and Keras's unseeded `GlorotUniform`, whose seeds come from Python's
own `random` module.
"""

import random

import numpy as np

from reference import shapes

MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85
SCRAMBLE_KEY = 0x3EC8F720, 0x02461E29  # TensorFlow's fixed key for turning a seed into a key
LOW = 0xFFFFFFFF


def philox(counter, key):
    """Ten rounds on four 32-bit words `counter` under two 32-bit words `key`; four words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        left, right = MULTIPLIERS[0] * c0, MULTIPLIERS[1] * c2
        c0, c1 = (right >> 32) ^ c1 ^ k0, right & LOW
        c2, c3 = (left >> 32) ^ c3 ^ k1, left & LOW
        k0, k1 = (k0 + WEYL[0]) & LOW, (k1 + WEYL[1]) & LOW
    return c0, c1, c2, c3


def words(value):
    """A 64-bit integer as (low, high) 32-bit words."""
    return value & LOW, value >> 32 & LOW


def uniform_integers(low, high, seed, count, skip=0):
    """`count` draws from eager `tf.random.uniform([], low, high, int32)` after `skip` earlier ones.

    Every eager call takes the next operation seed from `random.Random(seed)` and uses the first
    word of one Philox block: low + word mod (high - low). Returns an int64 array.
    """
    if not low < high:
        raise ValueError(f"low is {low} and high is {high}: low must be below high")
    shapes.at_least("count", count, 0)
    shapes.at_least("skip", skip, 0)
    operations = random.Random(seed)
    seeds = [operations.randint(0, 2**31 - 1) for _ in range(skip + count)][skip:]
    draws = [philox((0, 0, *words(op)), words(seed))[0] for op in seeds]
    return np.array([low + draw % (high - low) for draw in draws], dtype=np.int64)


def stateless_words(seed, count):
    """`count` 32-bit words of TensorFlow's stateless generator for the seed pair (seed, 0)."""
    mixed = philox((*words(seed), 0, 0), SCRAMBLE_KEY)
    blocks = -(-count // 4)
    drawn = [philox((*words(i), *mixed[2:]), mixed[:2]) for i in range(blocks)]
    return np.array(drawn, dtype=np.uint32).reshape(-1)[:count]


def unit_floats(bits):
    """32-bit words as float32 in [0, 1): the low 23 bits are the mantissa of a number in [1, 2)."""
    mantissa = (np.asarray(bits, dtype=np.uint32) & 0x7FFFFF) | 0x3F800000
    return mantissa.astype(np.uint32).view(np.float32) - np.float32(1)


def glorot_uniform(shape, stream):
    """Keras's unseeded Glorot kernel of `shape` (inputs, outputs), float32.

    stream: a `random.Random`; the initializer takes its seed from it. U(-limit, limit) with
    limit = sqrt(6 / (inputs + outputs)) in the float32 arithmetic of the framework.
    """
    inputs, outputs = shape
    limit = np.float32(np.sqrt(6.0 / (inputs + outputs)))
    unit = unit_floats(stateless_words(stream.randint(1, 10**9), inputs * outputs))
    return (unit * (limit - -limit) + -limit).reshape(shape)
