"""penstock joins any number of example streams into training batches.

Prefetched, padded, the same on every run, for NumPy, PyTorch, JAX and TensorFlow.
"""

import importlib
import typing

from penstock.errors import (
    FlowClosed,
    MissingExtra,
    OverBudget,
    PenstockError,
    PenstockWarning,
    PipelineError,
    SourceError,
    SpecError,
    Stalled,
)
from penstock.faults import Retry, Skip, Skipped, SkipStats
from penstock.flow import Flow
from penstock.functions import batch, batch_join, maybe_batch, maybe_batch_join
from penstock.inputs import from_arrays, join
from penstock.pipeline import Pipeline
from penstock.spec import Component, Spec
from penstock.stats import FlowStats, LaneStats, MixStats, StageStats
from penstock.ticket import Ticket

if typing.TYPE_CHECKING:
    from penstock.reading import read_arrow, read_csv, read_jsonl, read_parquet, read_text
    from penstock.rejection import rejection_sample
    from penstock.replaying import replay
    from penstock.resample import WeightedResample, resample_at_rate, weighted_resample
    from penstock.sampling import Temperature
    from penstock.stratified import stratified_sample

__all__ = [
    "Component",
    "Flow",
    "FlowClosed",
    "FlowStats",
    "LaneStats",
    "MissingExtra",
    "MixStats",
    "OverBudget",
    "PenstockError",
    "PenstockWarning",
    "Pipeline",
    "PipelineError",
    "Retry",
    "Skip",
    "SkipStats",
    "Skipped",
    "SourceError",
    "Spec",
    "SpecError",
    "StageStats",
    "Stalled",
    "Temperature",
    "Ticket",
    "WeightedResample",
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
    "rejection_sample",
    "replay",
    "resample_at_rate",
    "stratified_sample",
    "weighted_resample",
]

# What many programs never use is loaded when it is first asked for: the file formats are a quarter of the rest.
_LATER = {
    "Temperature": "sampling",
    "WeightedResample": "resample",
    "read_arrow": "reading",
    "read_csv": "reading",
    "read_jsonl": "reading",
    "read_parquet": "reading",
    "read_text": "reading",
    "rejection_sample": "rejection",
    "replay": "replaying",
    "resample_at_rate": "resample",
    "stratified_sample": "stratified",
    "weighted_resample": "resample",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(globals().keys() | _LATER.keys())
