"""Where examples come from: iterables, arrays, components read in step, files; one kind a file.

The file formats are imported one by one, by whoever reads files, and so is what reads several sources in step.
"""

from penstock.sources.arrays import ArraySource
from penstock.sources.detect import as_source
from penstock.sources.indexed import IndexedSource
from penstock.sources.iterables import CallableSource, IterableSource, name_of

__all__ = [
    "ArraySource",
    "CallableSource",
    "IndexedSource",
    "IterableSource",
    "as_source",
    "name_of",
]
