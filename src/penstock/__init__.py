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
    QueueClosed,
    QueueExhausted,
    SourceError,
    SpecError,
    Stalled,
    StateError,
)
from penstock.faults import Retry, Skip, Skipped, SkipStats
from penstock.flow import Flow
from penstock.functions import batch, batch_join, maybe_batch, maybe_batch_join
from penstock.inputs import from_arrays, join
from penstock.pipeline import Pipeline
from penstock.spec import Component, Spec
from penstock.ticket import Ticket

if typing.TYPE_CHECKING:
    from penstock.buckets import bucket, bucket_by_sequence_length
    from penstock.producers import (
        input_producer,
        limit_epochs,
        match_filenames_once,
        range_input_producer,
        slice_input_producer,
        string_input_producer,
    )
    from penstock.queues import FIFOQueue, PaddingFIFOQueue, PriorityQueue, RandomShuffleQueue
    from penstock.reading import read_arrow, read_csv, read_jsonl, read_parquet, read_text, read_tfrecord
    from penstock.rejection import rejection_sample
    from penstock.replaying import replay
    from penstock.resample import WeightedResample, resample_at_rate, weighted_resample
    from penstock.resharding import reshard
    from penstock.sampling import Temperature
    from penstock.shuffles import (
        maybe_shuffle_batch,
        maybe_shuffle_batch_join,
        shuffle_batch,
        shuffle_batch_join,
    )
    from penstock.stats import FlowStats, LaneStats, MixStats, StageStats
    from penstock.stratified import stratified_sample

__all__ = [
    "Component",
    "FIFOQueue",
    "Flow",
    "FlowClosed",
    "FlowStats",
    "LaneStats",
    "MissingExtra",
    "MixStats",
    "OverBudget",
    "PaddingFIFOQueue",
    "PenstockError",
    "PenstockWarning",
    "Pipeline",
    "PipelineError",
    "PriorityQueue",
    "QueueClosed",
    "QueueExhausted",
    "RandomShuffleQueue",
    "Retry",
    "Skip",
    "SkipStats",
    "Skipped",
    "SourceError",
    "Spec",
    "SpecError",
    "StageStats",
    "Stalled",
    "StateError",
    "Temperature",
    "Ticket",
    "WeightedResample",
    "batch",
    "batch_join",
    "bucket",
    "bucket_by_sequence_length",
    "from_arrays",
    "input_producer",
    "join",
    "limit_epochs",
    "match_filenames_once",
    "maybe_batch",
    "maybe_batch_join",
    "maybe_shuffle_batch",
    "maybe_shuffle_batch_join",
    "range_input_producer",
    "read_arrow",
    "read_csv",
    "read_jsonl",
    "read_parquet",
    "read_text",
    "read_tfrecord",
    "rejection_sample",
    "replay",
    "resample_at_rate",
    "reshard",
    "shuffle_batch",
    "shuffle_batch_join",
    "slice_input_producer",
    "stratified_sample",
    "string_input_producer",
    "weighted_resample",
]

# What many programs never use is loaded when it is first asked for: the file formats are a quarter of the rest.
_LATER = {
    "FIFOQueue": "queues",
    "PaddingFIFOQueue": "queues",
    "PriorityQueue": "queues",
    "RandomShuffleQueue": "queues",
    "FlowStats": "stats",
    "LaneStats": "stats",
    "MixStats": "stats",
    "StageStats": "stats",
    "Temperature": "sampling",
    "WeightedResample": "resample",
    "bucket": "buckets",
    "bucket_by_sequence_length": "buckets",
    "input_producer": "producers",
    "limit_epochs": "producers",
    "match_filenames_once": "producers",
    "maybe_shuffle_batch": "shuffles",
    "maybe_shuffle_batch_join": "shuffles",
    "range_input_producer": "producers",
    "read_arrow": "reading",
    "read_csv": "reading",
    "read_jsonl": "reading",
    "read_parquet": "reading",
    "read_text": "reading",
    "read_tfrecord": "reading",
    "rejection_sample": "rejection",
    "replay": "replaying",
    "resample_at_rate": "resample",
    "reshard": "resharding",
    "shuffle_batch": "shuffles",
    "shuffle_batch_join": "shuffles",
    "slice_input_producer": "producers",
    "stratified_sample": "stratified",
    "string_input_producer": "producers",
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
