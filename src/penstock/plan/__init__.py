"""The inert description that a pipeline is made of: frozen nodes, each checked as it is written.

Guarantees
  A node is immutable; what can be wrong in a description is said when the node is made, before anything runs.
Assumes
  `build` is the only module that knows how a node becomes a stage.
"""

from penstock.plan.join import Join, Order
from penstock.plan.node import Node, Read, find, function, integer, positive, takes_rng
from penstock.plan.options import Options
from penstock.plan.pad import Pad, PadRule, padding
from penstock.plan.shard import Shard, ShardEnd, Share, Way
from penstock.plan.source import FileSource, Source
from penstock.plan.words import Batch, Convert, Filter, Map, Repeat, Skip, Take, Unbatch, before_delivery

__all__ = [
    "Batch",
    "Convert",
    "FileSource",
    "Filter",
    "Join",
    "Map",
    "Node",
    "Options",
    "Order",
    "Pad",
    "PadRule",
    "Read",
    "Repeat",
    "Shard",
    "ShardEnd",
    "Share",
    "Skip",
    "Source",
    "Take",
    "Unbatch",
    "Way",
    "before_delivery",
    "find",
    "function",
    "integer",
    "padding",
    "positive",
    "takes_rng",
]
