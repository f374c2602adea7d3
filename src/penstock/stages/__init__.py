"""The steps of a running pipeline: single-threaded, pulled from downstream, one stage a file.

Of what many programs do without, `map`, `filter` and `stratify` say, nothing is loaded before somebody uses it.
"""

from penstock.stages.batcher import Batcher, spec_of
from penstock.stages.functions import Applied
from penstock.stages.inlet import Inlet, Into, Pull, Straight, pull_plain
from penstock.stages.mending import Mending
from penstock.stages.merge import ArrivalMerge, Choices, Merge
from penstock.stages.reader import RowReader, RunReader
from penstock.stages.repeat import Repeat
from penstock.stages.stage import Intake, Poured, Pouring, Stage, Strata
from penstock.stages.tag import Tag

__all__ = [
    "Applied",
    "ArrivalMerge",
    "Choices",
    "Batcher",
    "Inlet",
    "Intake",
    "Into",
    "Mending",
    "Merge",
    "Poured",
    "Pouring",
    "Pull",
    "Repeat",
    "RowReader",
    "RunReader",
    "Stage",
    "Straight",
    "Strata",
    "Tag",
    "pull_plain",
    "spec_of",
]
