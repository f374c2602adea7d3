"""The arithmetic of proportions: how many of each class, which of those that wait, and what arrives.

No file here reads an example, starts a thread or knows a stage.

    shares        what the user asked for, as whole numbers
    quota         counts for each batch, shares fixed:    within one example of the target, in each batch and in all
    carry         counts for each batch, shares changing: what is owed is carried
    schedule      which of the three below decides
    classes       labels, and the numbers they are counted under
    target        what was asked for, at a batch
    metric        P classes a batch, m examples each
    mixture       whose turn it is when sources are mixed by weights
    temperature   a target that follows what arrives
    prior         what arrives, estimated
    thresholds    what to admit by it
    bounds        what no method can beat
    rings         what waits of each class, and who is next
    number_rings  the same for examples that somebody else keeps
    chances       how likely each class is kept, where nothing waits
    sieve         who is, by a coin

    extras, estimates, splitmix, kernels   the schedule, the sums behind the prior, random numbers by their place, and
                                           native or not, for the above
"""

from penstock.sampling.bounds import (
    coverage,
    efficiency,
    feasible_target,
    inputs_for_batch,
    offline_optimum,
    ring_limits,
    spare_limits,
)
from penstock.sampling.carry import Carry
from penstock.sampling.chances import chances, leant
from penstock.sampling.classes import Classes
from penstock.sampling.dealt import Dealt, dealt
from penstock.sampling.kernels import NATIVE, NumberRings, Prior, Rings, Sieve
from penstock.sampling.metric import PerClass
from penstock.sampling.mixture import Changing, Steady, Weights, read_weights
from penstock.sampling.quota import Quota
from penstock.sampling.schedule import Schedule
from penstock.sampling.shares import Shares, probabilities, shares
from penstock.sampling.target import Target
from penstock.sampling.temperature import Temperature
from penstock.sampling.thresholds import thresholds

__all__ = [
    "NATIVE",
    "Carry",
    "Changing",
    "Classes",
    "Dealt",
    "NumberRings",
    "PerClass",
    "Prior",
    "Quota",
    "Rings",
    "Schedule",
    "Shares",
    "Sieve",
    "Steady",
    "Target",
    "Temperature",
    "Weights",
    "chances",
    "coverage",
    "dealt",
    "efficiency",
    "feasible_target",
    "inputs_for_batch",
    "leant",
    "offline_optimum",
    "probabilities",
    "read_weights",
    "ring_limits",
    "shares",
    "spare_limits",
    "thresholds",
]
