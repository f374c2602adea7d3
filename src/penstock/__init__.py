"""penstock joins any number of example streams into training batches.

Prefetched, padded, the same on every run, for NumPy, PyTorch, JAX and TensorFlow.
"""

from penstock.errors import (
    FlowClosed,
    MissingExtra,
    PenstockError,
    PenstockWarning,
    PipelineError,
    SourceError,
    SpecError,
)
from penstock.flow import Flow
from penstock.functions import batch, batch_join, maybe_batch, maybe_batch_join
from penstock.pipeline import Pipeline, from_arrays, join
from penstock.reading import read_arrow, read_csv, read_jsonl, read_parquet, read_text
from penstock.spec import Component, Spec
from penstock.stats import FlowStats, LaneStats, StageStats
from penstock.ticket import Ticket

__all__ = [
    "Component",
    "Flow",
    "FlowClosed",
    "FlowStats",
    "LaneStats",
    "MissingExtra",
    "PenstockError",
    "PenstockWarning",
    "Pipeline",
    "PipelineError",
    "SourceError",
    "Spec",
    "SpecError",
    "StageStats",
    "Ticket",
    "batch",
    "batch_join",
    "from_arrays",
    "join",
    "maybe_batch",
    "maybe_batch_join",
    "read_arrow",
    "read_csv",
    "read_jsonl",
    "read_parquet",
    "read_text",
]
