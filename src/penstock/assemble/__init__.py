"""From examples to a batch: checked, padded, and written once."""

from typing import TYPE_CHECKING

from penstock.assemble.assembler import Assembler
from penstock.assemble.kernels import NATIVE, Pool, Sink, backlog, pull_turns
from penstock.assemble.misfit import Misfit

if TYPE_CHECKING:
    from penstock.assemble.kernels import Backlog as Backlog

__all__ = ["NATIVE", "Assembler", "Misfit", "Pool", "Sink", "backlog", "pull_turns"]
