"""The same classifier, fed by a pipeline."""

import numpy as np
from toys import Softmax, texts

import penstock as ps

pipeline = (
    ps.read_tfrecord(texts(), features={"tokens": ("int64", (None,)), "label": "int64"})
    .repeat(5)
    .pad(tokens=(None,), lengths="length")
    .bucket("tokens", [10, 20, 30], batch_size=16, keep_last=True)
)
model = Softmax(inputs=41, classes=2)
for batch in pipeline:
    bags = (batch["tokens"][:, :, None] == np.arange(1, 42)).sum(1) / batch["length"][:, None]
    model.step(bags, batch["label"], rate=5.0)
print("done:", model.told())
