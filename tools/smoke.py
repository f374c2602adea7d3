"""Joins two sources, padded, and prints the batches as JSON: the same wherever penstock runs."""

import json

import numpy as np

import penstock as ps
from penstock.assemble import NATIVE

odd = [(np.arange(n, dtype=np.float32), n, f"odd {n}") for n in (1, 3, 5)]
even = [(np.arange(n, dtype=np.float32), n, f"even {n}") for n in (2, 4, 6, 8)]
batches = [
    [[str(component.dtype), component.tolist()] for component in batch]
    for batch in ps.batch_join([odd, even], batch_size=3, dynamic_pad=True, allow_smaller_final_batch=True)
]
print(json.dumps({"native": NATIVE, "file": ps.__file__, "batches": batches}))
