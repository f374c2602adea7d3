"""What the scripts here learn from, made on the spot, and the small models that learn: `python toys.py` says how much."""

from pathlib import Path

import numpy as np

from penstock import tf1

HERE = Path("toys")


def pictures(files: int = 3, each: int = 120) -> list[str]:
    """Files as those of CIFAR-10, of pictures of 8 by 8: a label, then the red, green and blue pixels of each."""
    rng = np.random.default_rng(0)
    HERE.mkdir(exist_ok=True)
    names = []
    for number in range(files):
        labels = rng.integers(0, 3, each)
        noise = rng.integers(0, 120, (each, 3, 64))
        noise[np.arange(each), labels] += 100  # A picture of class k has more of colour k.
        names.append(str(HERE / f"pictures_{number}.bin"))
        np.c_[labels, noise.reshape(each, -1)].astype(np.uint8).tofile(names[-1])
    return names


def texts(count: int = 400) -> str:
    """A TFRecord file of texts: tokens, and whether the even ones are more."""
    rng = np.random.default_rng(1)
    HERE.mkdir(exist_ok=True)
    name = str(HERE / "texts.tfrecord")
    feature, int64_list, of = tf1.train.Feature, tf1.train.Int64List, tf1.train.Features
    with tf1.python_io.TFRecordWriter(name) as writer:
        for _ in range(count):
            label = rng.integers(0, 2)
            length = rng.integers(3, 40)
            tokens = 1 + 2 * rng.integers(0, 20, length) + (rng.random(length) < (0.8 if label else 0.2))
            lists = {"tokens": feature(int64_list=int64_list(tokens)), "label": feature(int64_list=int64_list([label]))}
            writer.write(tf1.train.Example(features=of(feature=lists)).SerializeToString())
    return name


def clicks(count: int = 4000) -> str:
    """A CSV file of clicks with a header, 1 in 50 a fraud."""
    rng = np.random.default_rng(2)
    HERE.mkdir(exist_ok=True)
    name = str(HERE / "clicks.csv")
    rows = ["amount,age,fraud"]
    for _ in range(count):
        fraud = int(rng.random() < 0.02)
        amount, age = rng.normal(3 * fraud, 1), rng.normal(-2 * fraud, 1)
        rows.append(f"{amount:.3f},{age:.3f},{fraud}")
    Path(name).write_text("\n".join(rows) + "\n")
    return name


class Softmax:
    """Softmax regression, in a few lines of NumPy."""

    def __init__(self, inputs: int, classes: int) -> None:
        self.weights = np.zeros((inputs + 1, classes))
        self.steps = 0
        self.right = 0.0

    def step(self, x: np.ndarray, labels: np.ndarray, rate: float = 0.1) -> float:
        """Learns from a batch; gives the share that was right before it did."""
        rows = np.c_[x.reshape(len(x), -1), np.ones(len(x))]
        scores = rows @ self.weights
        chances = np.exp(scores - scores.max(1, keepdims=True))
        chances /= chances.sum(1, keepdims=True)
        right = float((chances.argmax(1) == labels).mean())
        self.weights -= rate * rows.T @ (chances - np.eye(chances.shape[1])[labels]) / len(x)
        self.steps += 1
        self.right += 0.2 * (right - self.right)
        return right

    def told(self) -> str:
        """How far it has come."""
        return f"{self.steps} steps, {self.right:.0%} right"


if __name__ == "__main__":
    print(pictures(), texts(), clicks())
