"""Labels as they would be read from a file, and forecasts of them."""

from collections.abc import Sequence

import numpy as np

from penstock.forecast.labels import Label, Labels
from penstock.forecast.outlook import Forecast, forecast
from penstock.forecast.target import as_text, parse, shares_over


def labels_of(counts: Sequence[int], classes: Sequence[Label] | None = None, *, seed: int = 0) -> Labels:
    """So many examples of each class, shuffled; the classes are numbers unless they are named."""
    order = np.repeat(np.arange(len(counts)), counts)
    np.random.default_rng(seed).shuffle(order)
    return Labels(("clicks.csv",), "label", tuple(range(len(counts)) if classes is None else classes), order)


def foretold(labels: Labels, target: str = "uniform", **options: int | None) -> Forecast:
    """A forecast for batches of 64 and repeats=4, unless told otherwise."""
    wanted = parse(target)
    shares = shares_over(wanted, labels.classes, labels.counts())
    return forecast(labels, shares, wanted=as_text(wanted), **{"batch_size": 64, "repeats": 4, **options})
