"""Joins shards of ragged examples into padded batches, with TF1's own function."""

import numpy as np

import penstock as ps


def shard(number: int):
    """A callable that opens a shard: texts of different lengths, as numbers, and a label."""

    def examples():
        rng = np.random.default_rng(number)
        for _ in range(100):
            yield rng.integers(1, 1000, size=rng.integers(3, 60)), number

    return examples


feed = ps.batch_join([shard(n) for n in range(8)], 64, dynamic_pad=True, allow_smaller_final_batch=True)
for tokens, labels in feed:
    print(tokens.shape, np.bincount(labels, minlength=8))
