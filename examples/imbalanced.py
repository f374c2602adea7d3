"""Trains on balanced batches of a stream in which one example in fifty matters."""

import numpy as np
import torch

import penstock as ps


def clicks():
    rng = np.random.default_rng(0)
    for _ in range(20_000):
        fraud = int(rng.random() < 0.02)
        yield {"x": rng.normal(fraud, 1.0, size=8).astype(np.float32), "fraud": fraud}


pipeline = ps.join([clicks]).stratify("fraud", {0: 0.5, 1: 0.5}, repeats=4).batch(64).to("torch")
model = torch.nn.Linear(8, 2)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
with pipeline.open() as flow:
    for batch in flow:  # 32 frauds in each
        loss = torch.nn.functional.cross_entropy(model(batch["x"]), batch["fraud"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"loss {loss.item():.2f}")
    print(flow.report())
