"""Feeds PyTorch: tensors over penstock's own memory, through a DataLoader that adds nothing."""

import numpy as np
import torch

import penstock as ps

rng = np.random.default_rng(0)
x = rng.normal(size=(4096, 8)).astype(np.float32)
y = (x.sum(axis=1) > 0).astype(np.int64)

pipeline = ps.from_arrays({"x": x, "y": y}).repeat(3).batch(64)
model = torch.nn.Linear(8, 2)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for batch in torch.utils.data.DataLoader(pipeline.torch(), batch_size=None):
    loss = torch.nn.functional.cross_entropy(model(batch["x"]), batch["y"])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"loss {loss.item():.2f}")
