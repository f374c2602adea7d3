"""The fluent form: named sources, functions with random numbers of their own, lengths, and what limits the flow."""

import numpy as np

import penstock as ps


def clicks():
    """A stream of examples as dicts."""
    for user in range(1000):
        yield {"history": np.arange(user % 17 + 1), "clicked": user % 3 == 0}


def jittered(example, rng):
    """The same on every run, however many threads there are: the numbers belong to the example."""
    return {**example, "score": rng.normal()}


pipeline = (
    ps.join({"clicks": clicks, "more": clicks})
    .map(jittered)
    .filter(lambda example: len(example["history"]) > 2)
    .pad(history=(None,), multiple=8, lengths="n_history")
    .batch(128, keep_last=True)
)
print(pipeline.spec())
with pipeline.open() as flow:
    print(sum(batch["clicked"].sum() for batch in flow), "clicks")
    print(flow.report())
