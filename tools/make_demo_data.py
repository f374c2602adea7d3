"""Writes the demo's data set, src/penstock/data/, from scikit-learn's copy of the UCI digits.

Run it in an environment of its own, since scikit-learn is needed for nothing else:

    python -m venv .venv-others/data && .venv-others/data/bin/pip install scikit-learn pyarrow
    .venv-others/data/bin/python tools/make_demo_data.py

The same examples come out each time; the bytes of the Parquet files may differ from one pyarrow to another.
"""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_digits

DATA = Path(__file__).parents[1] / "src" / "penstock" / "data"

# Unequal, so that some sources end long before others.
SHARDS = {
    "train-0.parquet": 320,
    "train-1.jsonl": 242,
    "train-2.parquet": 187,
    "train-3.jsonl": 97,
    "train-4.parquet": 241,
    "train-5.jsonl": 51,
    "train-6.parquet": 126,
    "train-7.jsonl": 158,
    "train-8.parquet": 78,
    "heldout-0.parquet": 180,
    "heldout-1.jsonl": 117,
}
SEED = 1998  # The year of the data set.
LEVELS = 17  # Ink goes from 0, none, to 16.

PARQUET = pa.schema([("image", pa.list_(pa.uint8(), 64)), ("ink", pa.list_(pa.int16())), ("digit", pa.int64())])


def ink(image: np.ndarray) -> list[int]:
    """The pixels that have ink, in reading order, each as the token place * 17 + ink."""
    places = np.flatnonzero(image)
    return (places * LEVELS + image[places]).tolist()


def main() -> None:
    digits = load_digits()
    images = digits.data.astype(np.uint8)
    assert sum(SHARDS.values()) == len(images)
    assert images.max() < LEVELS

    # The original goes writer by writer; mixed, so that what is held out is like the rest.
    order = iter(np.random.default_rng(SEED).permutation(len(images)))
    for name, count in SHARDS.items():
        chosen = [next(order) for _ in range(count)]
        examples = [
            {"image": images[i].tolist(), "ink": ink(images[i]), "digit": int(digits.target[i])} for i in chosen
        ]
        if name.endswith(".parquet"):
            pq.write_table(pa.Table.from_pylist(examples, schema=PARQUET), DATA / name, compression="zstd")
        else:
            lines = [json.dumps(example, separators=(",", ":")) for example in examples]
            (DATA / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
