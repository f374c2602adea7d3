"""The same classifier, fed by a pipeline."""

from functools import partial

import numpy as np
from toys import Softmax, pictures

import penstock as ps


def records(path):
    yield from np.fromfile(path, np.uint8).reshape(-1, 193)


def distorted(record, rng):
    image = record[1:].reshape(3, 8, 8).transpose(1, 2, 0).astype(np.float32)
    top, left = rng.integers(0, 3, 2)
    image = image[top : top + 6, left : left + 6]
    image = image[:, ::-1] if rng.random() < 0.5 else image
    return (image - image.mean()) / max(image.std(), image.size**-0.5), int(record[0])


pipeline = ps.join([partial(records, path) for path in pictures()]).repeat(3).map(distorted).shuffle(200).batch(32)
model = Softmax(inputs=6 * 6 * 3, classes=3)
for images, labels in pipeline:
    model.step(images, labels)
print("done:", model.told())
