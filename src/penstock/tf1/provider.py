"""`data_provider`: the components of a source by name, the idiom of the page on `stratified_sample`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, final

import penstock as ps
from penstock.errors import PipelineError, SpecError, mismatch
from penstock.pipeline import Pipeline
from penstock.tf1.errors import translated
from penstock.tf1.feeds import Source
from penstock.tf1.handles import Apply, Handle, as_value

__all__ = ["DataProvider", "data_provider"]


@final
class DataProvider:
    """Gives handles of the components of a source; all handles of one provider are of one example in a step.

    Args:
      pipeline: whose examples are read.
      items: of the names, where they are known without reading.
      length: gives how many examples one pass has, if it is another than the pipeline's.
    """

    def __init__(
        self, pipeline: Pipeline, items: Sequence[Any] | None, length: Callable[[], int] | None = None
    ) -> None:
        self._items = items

        def opened() -> Iterator[Any]:
            return pipeline.open(inline=True)

        self._example = Handle(Source("data_provider", opened))
        self._length = length or pipeline.__len__

    def get(self, items: Sequence[Any]) -> list[Handle]:
        """A handle for each name.

        Args:
          items: keys of a dict, numbers of a tuple, or names of fields.

        Raises:
          ValueError: there is no such component.
        """
        if isinstance(items, (str, bytes)) or not isinstance(items, Sequence):
            raise PipelineError(mismatch("a list of names", f"`{items!r}`", at="get(items)", do=f"`get([{items!r}])`"))
        unknown = [item for item in items if self._items is not None and item not in self._items]
        if unknown:
            known = ", ".join(f"`{item}`" for item in self._items or ())
            raise PipelineError(mismatch(f"one of {known}", f"`{unknown[0]}`", at="get(items)"))
        return [Handle(Apply(f"data_provider[{item!r}]", _Part(item), [self._example])) for item in items]

    Get = get

    def list_items(self) -> list[Any]:
        """The names, where they are known without reading; else none."""
        return list(self._items or ())

    def num_samples(self) -> int:
        """How many examples there are in one pass.

        Raises:
          TypeError: it is not known without reading.
        """
        return self._length()


@final
class _Part:
    """Takes one component out of an example."""

    def __init__(self, item: Any) -> None:
        self._item = item

    def __call__(self, example: Any) -> Any:
        try:
            by_name = isinstance(self._item, str) and not isinstance(example, Mapping)
            return as_value(getattr(example, self._item) if by_name else example[self._item])
        except (KeyError, IndexError, AttributeError, TypeError):
            got = f"`{type(example).__name__}`"
            if isinstance(example, Mapping):
                got = f"`{', '.join(map(str, example))}`"
            want = f"an example with `{self._item}`"
            raise translated(SpecError(mismatch(want, got, at="data_provider"))) from None


def data_provider(source: Any, *, num_epochs: int | None = 1) -> DataProvider:
    """A provider of the components of a source: `data, label = data_provider(source).get(["data", "label"])`.

    Args:
      source: a penstock source: a pipeline, a dict or tuple of components, a data set, a callable, …
      num_epochs: how many passes; `None` repeats it for ever, as slim's provider did.

    Raises:
      ValueError: nothing can be read from the source.

    Source: TF-Slim's `DatasetDataProvider`; the example on the page of `tf.contrib.training.stratified_sample`.

    >>> from penstock import tf1 as tf
    >>> provider = tf.data_provider({"data": [1.5, 2.5, 3.5, 4.5], "label": [0, 1, 1, 0]})
    >>> data, label = provider.get(["data", "label"])
    >>> [data_batch], labels = tf.contrib.training.stratified_sample([data], label, [0.5, 0.5], batch_size=2)
    >>> with tf.feed([data_batch, labels]) as feed:
    ...     print(next(feed)[1])
    [0 1]
    """
    once = source if isinstance(source, Pipeline) else ps.join([source])
    pipeline = once if num_epochs == 1 else once.repeat(num_epochs)
    return DataProvider(pipeline, list(source) if isinstance(source, Mapping) else None, once.__len__)
