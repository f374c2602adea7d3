"""What a type checker makes of the public functions; `tests/test_typing.py` runs it over this file."""

from collections.abc import Iterator
from typing import Any, assert_type

import numpy as np

import penstock as ps

source = [1, 2, 3]

# TF1's functions, and the sources.
assert_type(ps.batch(source, 2), ps.Pipeline)
assert_type(ps.batch(source, 2, 1, 32, False, None, True, True, None, "name", order="arrival", seed=1), ps.Pipeline)
assert_type(ps.batch_join([source, source], batch_size=2, capacity=8, dynamic_pad=True), ps.Pipeline)
assert_type(ps.maybe_batch(source, True, 2), ps.Pipeline)
assert_type(ps.shuffle_batch(source, 2, 8, 4, seed=1, dynamic_pad=True), ps.Pipeline)
assert_type(ps.maybe_shuffle_batch_join([source], 2, 8, 4, [True]), ps.Pipeline)
assert_type(ps.bucket_by_sequence_length(source, source, [1, 2], [4]), ps.Pipeline)
assert_type(ps.string_input_producer(["a"], num_epochs=1), ps.Pipeline)
assert_type(ps.match_filenames_once("*.txt"), list[str])
assert_type(ps.join([source]).shuffle().bucket("x", [3], max_tokens=8), ps.Pipeline)
assert_type(ps.maybe_batch_join((each for each in [source]), keep_input=[True], batch_size=2), ps.Pipeline)
assert_type(ps.stratified_sample([source], source, [0.5, 0.5], 2), ps.Pipeline)
assert_type(ps.stratified_sample(source, lambda x: x, np.ones(1), 2, None, True, 16, 1, "name", seed=1), ps.Pipeline)
assert_type(ps.stratified_sample(source, "y", [1.0], 2, method="rejection", missing="error"), ps.Pipeline)
assert_type(ps.Temperature(0.3), ps.Temperature)
assert_type(ps.join([source, lambda: iter(source)]), ps.Pipeline)
assert_type(ps.join({"a": source, "b": (source, source)}, order="arrival"), ps.Pipeline)
assert_type(ps.join([source, source], [3, 1], end=["stop", "repeat"], tag="source"), ps.Pipeline)
assert_type(ps.join({"a": source, "b": source}, {"a": 0.5, "b": 2}, end={"a": "repeat"}), ps.Pipeline)
assert_type(ps.join({"a": source}, lambda given: {"a": 1 + given}, end="drop", copy=True), ps.Pipeline)
assert_type(ps.from_arrays({"x": np.zeros(3)}), ps.Pipeline)
assert_type(ps.read_parquet("a.parquet"), ps.Pipeline)
assert_type(ps.read_arrow("a.arrow"), ps.Pipeline)
assert_type(ps.read_csv("a.csv"), ps.Pipeline)
assert_type(ps.read_jsonl("a.jsonl"), ps.Pipeline)
assert_type(ps.read_text(["a.txt", "b.txt"]), ps.Pipeline)
assert_type(ps.read_tfrecord("a.tfrecord", features={"label": "int64"}), ps.Pipeline)

assert_type(ps.shuffle_batch_join([source], 2, 8, 4, dynamic_pad=True), ps.Pipeline)
assert_type(ps.maybe_shuffle_batch(source, 2, 8, 4, keep_input=True), ps.Pipeline)
assert_type(ps.bucket(source, source, [2, 3], 2, dynamic_pad=True), ps.Pipeline)
assert_type(ps.input_producer(np.zeros(3), shuffle=False), ps.Pipeline)
assert_type(ps.range_input_producer(3, num_epochs=1, seed=1), ps.Pipeline)
assert_type(ps.slice_input_producer([source, source]), ps.Pipeline)
assert_type(ps.limit_epochs(source, 2), ps.Pipeline)
assert_type(ps.rejection_sample([source], lambda x: 0.5, 2), ps.Pipeline)

# The words.
pipeline = ps.join([source])
assert_type(pipeline.map(lambda x: x + 1), ps.Pipeline)
assert_type(pipeline.map(lambda x, rng: rng.random(), seed=3), ps.Pipeline)
assert_type(pipeline.filter(bool), ps.Pipeline)
assert_type(pipeline.take(3).skip(1).repeat().repeat(2), ps.Pipeline)
assert_type(pipeline.pad(), ps.Pipeline)
assert_type(pipeline.pad((None, 3), value=-1, side="left", multiple=8, truncate=True), ps.Pipeline)
assert_type(pipeline.pad({"a": (None,)}, lengths={"a": "n"}, mask={"a": "m"}), ps.Pipeline)
assert_type(pipeline.pad(tokens=[None, 8]), ps.Pipeline)
assert_type(pipeline.batch(2), ps.Pipeline)
assert_type(pipeline.batch(2, keep_last=True).unbatch(), ps.Pipeline)
assert_type(pipeline.shuffle(8, seed=1).shuffle(), ps.Pipeline)
assert_type(pipeline.shard(0, 2, end="drop", by="turns"), ps.Pipeline)
assert_type(pipeline.shard("auto"), ps.Pipeline)
assert_type(pipeline.shard("auto", end=None), ps.Pipeline)
assert_type(pipeline.to("torch"), ps.Pipeline)
assert_type(pipeline.options(seed=1, capacity=2, capacity_bytes=3, name="train"), ps.Pipeline)

# What is said without running, and what runs.
assert_type(len(pipeline), int)
assert_type(pipeline.spec(), ps.Spec)
assert_type(iter(pipeline), Iterator[Any])
for batch in pipeline:
    assert_type(batch, Any)
with pipeline.open(epoch=1, inline=True) as flow:
    assert_type(flow, ps.Flow)
    assert_type(next(flow), Any)
    assert_type(flow.spec(), ps.Spec | None)
    assert_type(flow.stats(), ps.FlowStats)
    assert_type(flow.report(), str)
    flow.close()

assert_type(ps.reshard(pipeline, [{}, {}], world_size=4, batch_size=2), list[dict[str, Any]])

# Queues.
queue = ps.FIFOQueue(8, "int64", shapes=[()])
ranked = ps.PriorityQueue(8)
assert_type(queue.size(), int)
assert_type(queue.is_closed(), bool)
assert_type(queue.enqueue(1, timeout_s=0.5), None)
assert_type(queue.enqueue_many([1, 2]), None)
assert_type(queue.dequeue_up_to(2), Any)
assert_type(queue.cancel(), None)
assert_type(queue.close(), None)
assert_type(ps.PaddingFIFOQueue(8, "int64", [(None,)]), ps.PaddingFIFOQueue)
assert_type(ps.RandomShuffleQueue(8, 4, seed=1).dequeue_many(2, timeout_s=1.0), Any)

# Values.
stats = flow.stats()
assert_type(stats.delivered, int)
assert_type(stats.elapsed_s, float)
assert_type(stats.driver, ps.LaneStats)
assert_type(stats.sources, tuple[ps.LaneStats, ...])
assert_type(stats.stages, tuple[ps.StageStats, ...])
assert_type(stats.mixes, tuple[ps.MixStats, ...])
assert_type(pipeline.spec().components, tuple[ps.Component, ...])
assert_type(ps.Ticket(0, 0, 5).offset, int)
error: ValueError = ps.PipelineError()
error = ps.SpecError()

# What must not pass.
ps.batch(source)  # type: ignore[call-arg]
ps.batch(source, 2, keep_last=True)  # type: ignore[call-arg]
ps.batch(source, 2, order="random")  # type: ignore[arg-type]
ps.stratified_sample(source, "y", [1.0], 2, method="coins")  # type: ignore[arg-type]
pipeline.batch(2, True)  # type: ignore[call-arg]
pipeline.take("3")  # type: ignore[arg-type]
pipeline.map(3)  # type: ignore[arg-type]
pipeline.shuffle("3")  # type: ignore[arg-type]
pipeline.bucket("x", [3], 2, True)  # type: ignore[call-arg]
queue.dequeue_many("3")  # type: ignore[arg-type]
pipeline.shard("all")  # type: ignore[arg-type]
ps.bucket(source, 1, 2, 2, by=len)  # type: ignore[call-arg]
