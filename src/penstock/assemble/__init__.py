"""From examples to a batch: checked, padded, and written once."""

from penstock.assemble.assembler import Assembler
from penstock.assemble.kernels import NATIVE, Pool, Runs, Sink, collect, keep, pull_turns
from penstock.assemble.misfit import Misfit

__all__ = ["NATIVE", "Assembler", "Misfit", "Pool", "Runs", "Sink", "collect", "keep", "pull_turns"]
