"""The steps of a running pipeline: single-threaded, pulled from downstream, one stage a file.

`stratify` and joins by weights are not among these: who uses them loads them.
"""

from penstock.stages.batcher import Batcher, spec_of
from penstock.stages.filter import Filter
from penstock.stages.functions import Applied
from penstock.stages.inlet import Inlet, Into, Pull, Straight, pull_plain
from penstock.stages.map import Map
from penstock.stages.mending import Mending
from penstock.stages.merge import ArrivalMerge, Choices, Merge
from penstock.stages.reader import RowReader, RunReader
from penstock.stages.repeat import Repeat
from penstock.stages.skip import Skip
from penstock.stages.stage import Intake, Poured, Pouring, Stage, Strata
from penstock.stages.tag import Tag
from penstock.stages.take import Take
from penstock.stages.unbatch import Unbatch

__all__ = [
    "Applied",
    "ArrivalMerge",
    "Choices",
    "Batcher",
    "Filter",
    "Inlet",
    "Intake",
    "Into",
    "Map",
    "Mending",
    "Merge",
    "Poured",
    "Pouring",
    "Pull",
    "Repeat",
    "RowReader",
    "RunReader",
    "Skip",
    "Stage",
    "Straight",
    "Strata",
    "Tag",
    "Take",
    "Unbatch",
    "pull_plain",
    "spec_of",
]
