"""From examples to a batch: checked, padded, and written once."""

from penstock.assemble.assembler import Assembler
from penstock.assemble.kernels import NATIVE, pull_turns
from penstock.assemble.misfit import Misfit
from penstock.assemble.pool import Pool

__all__ = ["NATIVE", "Assembler", "Misfit", "Pool", "pull_turns"]
