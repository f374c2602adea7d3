"""The words of the fluent form: what may be done to examples and batches, each checked as it is written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Literal, Self

from penstock.errors import PipelineError, mismatch
from penstock.faults import OnError
from penstock.later import later
from penstock.padding import pad_rules, pad_shape, pad_shapes
from penstock.plan import (
    Batch,
    Convert,
    Filter,
    Map,
    Node,
    Options,
    Pad,
    Repeat,
    Shard,
    ShardEnd,
    Skip,
    Take,
    Unbatch,
)
from penstock.staged import check_composed

__all__ = ["Words"]


class Words(ABC):
    """What pipelines are described by; each word gives a new description."""

    __slots__ = ()

    _node: Node
    _options: Options

    @abstractmethod
    def _made(self, node: Node, options: Options) -> Self:
        """A description with another end, or other options."""

    def _with(self, node: Node) -> Self:
        return self._made(node, self._options)

    def map(self, fn: Callable[..., Any], *, seed: int | None = None, on_error: OnError | None = None) -> Self:
        """Each example replaced by what `fn` makes of it; after `.batch`, each batch.

        Before a join it runs in the reader's thread, after it in the driver's.

        Args:
          fn: `fn(example)`, or `fn(example, rng)` with a `numpy.random.Generator` of the example's own: its numbers
            depend on the seed, the epoch and the place of the example, never on threads.
          seed: of this word's random numbers, in place of the pipeline's.
          on_error: what is done where `fn` raises, in place of what `options` say: `"raise"`, `ps.Skip(...)`,
            `ps.Retry(...)` or `ps.Retry(...) | ps.Skip(...)`.

        Raises:
          PipelineError: `fn` cannot be called.
        """
        return self._with(Map(self._node, fn, seed, on_error))

    def filter(self, fn: Callable[..., Any], *, seed: int | None = None, on_error: OnError | None = None) -> Self:
        """The examples for which `fn` is true; the others are counted in the report. After `.batch`, batches.

        Args:
          fn: `fn(example)`, or `fn(example, rng)` as in `map`.
          seed: of this word's random numbers, in place of the pipeline's.
          on_error: as in `map`.

        Raises:
          PipelineError: `fn` cannot be called.
        """
        return self._with(Filter(self._node, fn, seed, on_error))

    def take(self, n: int) -> Self:
        """The first `n` examples, or batches; nothing beyond them is asked for."""
        return self._with(Take(self._node, n))

    def skip(self, n: int) -> Self:
        """What follows the first `n` examples, or batches."""
        return self._with(Skip(self._node, n))

    def repeat(self, epochs: int | None = None) -> Self:
        """Everything so far, `epochs` times, or for ever; the sources are opened anew for each.

        Before `.batch`, a batch may hold the end of one epoch and the beginning of the next.
        An epoch without an example ends an endless repeat with an error.
        """
        return self._with(Repeat(self._node, epochs))

    def shard(
        self,
        rank: int | Literal["auto"],
        world_size: int | None = None,
        *,
        end: ShardEnd = "drop",
        by: Literal["files", "turns"] | None = None,
        mask: str = "valid",
    ) -> Self:
        """The part of one rank, where several processes train together: disjoint over the ranks, and complete.

        Every rank gets the same number of examples, and so of batches; what might leave some out behind it, a `filter` say, is
        an error as the pipeline is opened, unless it stands behind an endless `repeat()`, or `end=None` allows it.
        Words before it see the whole stream, words behind it this rank's part: put `.map(decode)` behind it.
        Behind `stratify` each rank gets its part of each class of each global batch; before it, each composes its own
        batches, so that all together are exact as well. Which of them it was: `flow.report()`.

        Args:
          rank: this process's number, from 0; or `"auto"`, which is found out when the pipeline is opened: `RANK` and
            `WORLD_SIZE` in the environment, else torch.distributed or JAX, where initialised, else 0 of 1.
          world_size: how many ranks there are.
          end: what becomes of the last round, which may not be full: `"drop"` it; `"pad"` it with copies of the last
            example, to whole batches; or `"repeat"` the first ones to fill it. `None` neither drops nor fills anything, and
            ranks may end at different batches.
          by: `"files"`: each rank opens its own only, and their lengths tell when all end (files that do not tell are
            counted, by reading them once); `"turns"`: each reads all, and every `world_size`-th example is its own. `None`
            goes by files where a `read_` word over at least `world_size` files comes before it, with nothing but `map`,
            `pad` and `repeat` between, else by turns.
          mask: of `end="pad"`: the name under which it is told which examples are none, True where there is data. A new
            key of a dict, else the example becomes `(example, {mask: True})`.

        Raises:
          PipelineError: something that cannot be.

        >>> import penstock as ps
        >>> [list(ps.join([[1, 2, 3, 4, 5]]).shard(rank, 2)) for rank in range(2)]
        [[1, 3], [2, 4]]
        >>> list(ps.join([[1, 2, 3, 4, 5]]).shard(1, 2, end="pad").batch(3))
        [(array([2, 4, 5]), {'valid': array([ True,  True, False])})]
        """
        auto = isinstance(rank, str)
        if auto and (rank != "auto" or world_size is not None):
            got = f"`{rank!r}`" + ("" if world_size is None else f" and {world_size!r}")
            raise PipelineError(mismatch('a rank and a world size, or `"auto"` alone', got, at="shard(rank)"))
        node = Shard(self._node, None if auto else rank, world_size, end, by, mask)  # type: ignore[arg-type]
        if node.world_size is not None:
            later("sharing").way_of(node, node.world_size)
        return self._with(node)

    def pad(
        self,
        shapes: Mapping[Any, Sequence[int | None]] | Sequence[int | None] | None = None,
        /,
        *,
        value: Any = None,
        side: Any = "right",
        multiple: Any = 1,
        truncate: Any = False,
        lengths: Any = None,
        mask: Any = None,
        **by_name: Sequence[int | None],
    ) -> Self:
        """Lets the batcher pad: `pad(tokens=(None, 8))`, `pad({0: (None,)})`, or `pad()`, which frees every dimension.

        Only dimensions that are `None` grow, each to the longest in *this* batch, so two batches may differ;
        a size is what the dimension is padded to in every batch.

        Args:
          shapes: a shape for each component that may be padded, by key, index or path (a tuple of them); a plain
            sequence is the shape of the only component. Nothing, here and by name, frees every dimension of every
            component.
          value: what is written past an example's end, for all or `{component: value}`; 0, False or the empty text if
            `None`.
          side: where the padding goes, `"right"` or `"left"`, for all or by component.
          multiple: free dimensions grow to a multiple of this, for all or by component.
          truncate: whether an example longer than a given size is cut on the padded side, for all or by component.
          lengths: the name under which the lengths before padding are delivered: int64[n], or int64[n, k] where k
            dimensions are padded. For one padded component, or `{component: name}`.
          mask: the name under which a mask is delivered, True where there is data. As `lengths`.
          by_name: shapes by the component's key.

        Raises:
          PipelineError: it comes after `.batch`, or contradicts itself.
        """
        given = dict(pad_shapes(shapes))
        for name, shape in by_name.items():
            if (name,) in given:
                raise PipelineError(mismatch(f"one shape for `{name}`", "two", at="pad()"))
            given[(name,)] = pad_shape(shape, name)
        settings = {
            "value": value,
            "side": side,
            "multiple": multiple,
            "truncate": truncate,
            "lengths": lengths,
            "mask": mask,
        }
        return self._with(Pad(self._node, pad_rules(given, settings)))

    def stratify(
        self,
        by: Any,
        target: Any = None,
        *,
        classes: Iterable[Hashable] | None = None,
        repeats: int = 1,
        rings: int | None = None,
        patience: int | None = None,
        missing: str = "wait",
        exact: str = "batch",
        unknown: str = "error",
        weights: str | None = None,
        weights_as: str | None = None,
        classes_per_batch: int | None = None,
        per_class: int | None = None,
        seed: int | None = None,
    ) -> Self:
        """Batches in the class proportions asked for, exact in each, whatever the stream's own are.

        Each batch of b examples holds floor(b q) or ceil(b q) of a class with share q, and all batches so far together
        are within one example of it. Examples that are not needed are left out on their label alone: put it before the
        `.map` that decodes. What it does class by class: `flow.report()`, `flow.stats().strata`.

        Args:
          by: the label: a key, an index, an attribute's name, a path (a tuple of these), or a function of the example.
          target: shares by label, `{"fraud": 0.5, "fine": 0.5}`; a sequence of them, for the labels 0, 1, 2 and so on;
            `"uniform"` or `"natural"` (as they come, but without the noise); a `Temperature`; or a function of the
            number of the batch that gives one of these. `flow.set_target` changes it.
          classes: the labels, in the order of a sequence of shares; without them, and without shares, the classes are
            those seen so far.
          repeats: how often one example may be used. Rare classes throttle the flow `repeats` times less.
          rings: how many examples of each class are kept; chosen by the size of batch, classes and examples if `None`.
            [examples]
          patience: for how many inputs a class that a batch needs is waited for before `missing` is acted on; 100 times
            what a batch needs by expectation if `None`. [examples]
          missing: what happens then: `"wait"` on, with a warning; `"repeat"` the newest of its examples; `"redistribute"`
            its share to the others; or an `"error"`.
          exact: `"batch"`; or `"average"`, which keeps no examples: each is given at once or left out, and the shares are
            held on average.
          unknown: what becomes of an example of another class: `"error"`, or `"ignore"`, which counts it.
          weights: what is delivered for each example: `"target"`, q / q' where the share q' was given in place of q, else
            1; `"natural"`, p / q', by which averages are those of the stream as it comes; `"prior"`, log p of all
            classes, for logit adjustment.
          weights_as: the name it is delivered under: a new key of a dict, else the example becomes
            `(example, {name: weight})`.
          classes_per_batch: P, for metric learning: each batch holds P classes, in turns, with `per_class` examples each.
          per_class: m.
          seed: of this word's random numbers, in place of the pipeline's.

        Raises:
          PipelineError: something that cannot be.

        Source: Pfair scheduling (Baruah et al. 1996) for the counts; in place of TF1 `tf.contrib.training.stratified_sample`.

        >>> import penstock as ps
        >>> rare = ps.join([[(i, i % 10 == 0) for i in range(100)]]).stratify(1, {True: 0.5, False: 0.5}).batch(4)
        >>> [labels.sum() for _, labels in rare]
        [np.int64(2), np.int64(2), np.int64(2), np.int64(2), np.int64(2)]
        """
        return self._with(
            later("strata").stratified(
                self._node,
                by,
                target,
                classes=classes,
                repeats=repeats,
                rings=rings,
                patience=patience,
                missing=missing,
                exact=exact,
                unknown=unknown,
                weights=weights,
                weights_as=weights_as,
                classes_per_batch=classes_per_batch,
                per_class=per_class,
                seed=seed,
            )
        )

    def shuffle(self, buffer_size: int | None = None, *, seed: int | None = None) -> Self:
        """Examples in random order, the same on every run: out of a buffer, or all of a source by index.

        With a buffer, `buffer_size` examples are held, one of which leaves at random whenever another is asked for. The
        larger it is, the better it mixes, and the later it starts. An error comes after all that was read before it.

        Without one nothing is held: each source right before it, which must be read by index (arrays, lists, map-style
        data sets), is read in an order of its own. Each epoch has another order, that of `epoch=` and the seed.

        Args:
          buffer_size: how many are held; `None` shuffles by index. [examples]
          seed: of this word's random numbers, in place of the pipeline's.

        Raises:
          PipelineError: it comes after `.batch`; or there is no buffer, and a source is not read by index.

        Source: TF1 `tf.train.shuffle_batch`.

        >>> import penstock as ps
        >>> sorted(ps.join([range(5)]).shuffle(3))
        [0, 1, 2, 3, 4]
        >>> both = ps.join([range(5)]).shuffle().repeat(2)
        >>> list(both) == list(both), list(both)[:5] == list(both)[5:]
        (True, False)
        """
        return self._with(later("shuffling").shuffled(self._node, buffer_size, seed))

    def batch(self, size: int, *, keep_last: bool = False) -> Self:
        """Batches of `size` examples, in the structure of an example; each component gets a leading dimension.

        Args:
          size: examples in a batch. [examples]
          keep_last: whether the last, smaller batch is given; otherwise it is counted in the report.

        Raises:
          PipelineError: `size` is no positive integer, or there is a `batch` already.
        """
        node = Batch(self._node, size, bool(keep_last))
        check_composed(node)
        return self._with(node)

    def bucket(
        self,
        by: Any,
        boundaries: Sequence[float],
        batch_size: int | Sequence[int] | None = None,
        *,
        max_tokens: int | None = None,
        pad_to_boundaries: bool = False,
        keep_last: bool = False,
    ) -> Self:
        """Batches of examples of like length, so that little of them is padding; in place of `.batch`.

        Each example waits in the bucket of its length until that is full, and then they are a batch. Examples of one
        bucket keep their order; which batch comes when depends on the examples alone.

        Args:
          by: the length: a key, an index, an attribute's name, a path (a tuple of these), or a function of the example.
            Of an array, list or text its length counts; a number is one.
          boundaries: k numbers that increase, for k + 1 buckets: lengths below the first; from it on and below the
            second; and so on; from the last on.
          batch_size: examples in a batch; or a number for each bucket. [examples]
          max_tokens: in its place a budget: a batch holds as many examples as fit, where each counts with its padding, that
            is as the longest of the batch. An example that does not fit alone is an error. [tokens]
          pad_to_boundaries: whether dimensions that may be padded are padded to the boundary above, and in the last bucket
            to a multiple of the last boundary, so that there are few shapes (JAX compiles each); otherwise to the longest
            in the batch. It is the first dimension of each component that `.pad(...)` frees.
          keep_last: whether what is left in the buckets at the end is given, as smaller batches, from the first bucket on;
            otherwise it is counted in the report.

        Raises:
          PipelineError: something that cannot be, or there is a `batch` already.

        Source: TF1 `tf.contrib.training.bucket_by_sequence_length`.

        >>> import numpy as np
        >>> import penstock as ps
        >>> texts = [np.arange(n) for n in (1, 5, 2, 6)]
        >>> for batch in ps.join([texts]).pad().bucket(len, [4], batch_size=2):
        ...     print(batch.shape)
        (2, 2)
        (2, 6)
        """
        return self._with(
            later("bucketing").bucketed(
                self._node,
                by,
                boundaries,
                batch_size,
                max_tokens=max_tokens,
                pad_to_boundaries=pad_to_boundaries,
                keep_last=keep_last,
            )
        )

    def unbatch(self) -> Self:
        """The rows of each batch, as examples again."""
        return self._with(Unbatch(self._node))

    def to(self, framework: str) -> Self:
        """Hands batches over in a framework's arrays: `"numpy"`, `"torch"`, `"jax"` or `"tensorflow"`.

        Without a copy where the framework allows it. What it does with which dtype: `penstock.deliver`.
        It comes last; only `take`, `skip`, `repeat` and `options` may follow.

        Raises:
          PipelineError: there is no such framework, or there is a `to` already.
        """
        return self._with(Convert(self._node, framework))

    def options(self, **changes: Any) -> Self:
        """Sets what holds for the whole pipeline.

        Args:
          **changes: `seed=0` of everything that is drawn; `capacity=None`, how many examples may wait in the sources'
            lanes together, chosen if `None`; `capacity_bytes=None`, how many bytes; `on_error="raise"`, or a `ps.Skip`
            or `ps.Retry` or both, of every source and function, and of examples that do not fit their batch;
            `name=None` of the flow, in threads and reports; `max_scan=None`, how many items of a source that can only
            be read from its start may have to be read again to resume: `state_dict` refuses where it would be more;
            `shared_name=None`, under which several pipelines of one process feed from one flow, each batch going to
            exactly one of them, until the last is closed; `grace_s=1.0`, how long closing waits for a thread that is
            inside the user's code [s]; `watchdog_s=None`, how long the loop waits while nothing moves before
            `ps.Stalled` is raised, which says who is waited for and shows the flow's stacks; not for
            `open(inline=True)` [s].
            Where a pipeline is a source of another, that one's options hold.

        Raises:
          PipelineError: an unknown option, or a value that it cannot have.
        """
        return self._made(self._node, self._options.with_(changes))
