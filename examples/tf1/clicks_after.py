"""The same classifier, fed by a pipeline."""

import numpy as np
from toys import Softmax, clicks

import penstock as ps

pipeline = ps.read_csv(clicks()).repeat(2).stratify("fraud", {0: 0.5, 1: 0.5}).batch(16)
model = Softmax(inputs=2, classes=2)
for batch in pipeline:
    model.step(np.c_[batch["amount"], batch["age"]], batch["fraud"])
print("done:", model.told())
