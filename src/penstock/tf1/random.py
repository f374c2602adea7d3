"""`tf.random`: the names that TF1 had for random numbers from 1.13 on."""

from penstock.tf1.randomness import random_normal as normal
from penstock.tf1.randomness import random_shuffle as shuffle
from penstock.tf1.randomness import random_uniform as uniform
from penstock.tf1.randomness import set_random_seed, truncated_normal

__all__ = ["normal", "set_random_seed", "shuffle", "truncated_normal", "uniform"]
