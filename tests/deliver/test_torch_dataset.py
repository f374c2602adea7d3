import io
import pickle
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import penstock as ps
from penstock.deliver.torch_dataset import torch_dataset
from penstock.errors import PipelineError

pytestmark = pytest.mark.usefixtures("often")

torch = pytest.importorskip("torch")
data = torch.utils.data


class Flow:
    """A flow of numbers that keeps count of how often it was closed."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self.numbers = numbers
        self.closed = 0

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        if self.closed:
            raise RuntimeError("taken from a closed flow")
        return next(self.numbers)

    def close(self) -> None:
        self.closed += 1


def dataset_of(batches: list, *, known: bool = True):
    return torch_dataset(partial(iter, batches), partial(len, batches) if known else lambda: None)


def test_it_is_what_a_data_loader_asks_for():
    """Trainers look at the type."""
    assert isinstance(dataset_of([]), data.IterableDataset)


def test_a_data_loader_gives_its_batches_as_they_are():
    """With `batch_size=None` a loader neither batches nor shuffles."""
    batches = [{"x": torch.arange(3) + k, "text": np.array(["a"], object)} for k in range(3)]

    got = list(data.DataLoader(dataset_of(batches), batch_size=None))

    assert [batch["x"].tolist() for batch in got] == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert all(batch["x"].data_ptr() == mine["x"].data_ptr() for batch, mine in zip(got, batches, strict=True))


def test_each_pass_opens_a_flow():
    """An epoch is a new pass over the loader."""
    loader = data.DataLoader(dataset_of([1, 2]), batch_size=None)

    assert [list(loader), list(loader)] == [[1, 2], [1, 2]]


def test_a_known_length_is_the_loaders_too():
    """A progress bar asks for it."""
    assert len(data.DataLoader(dataset_of([1, 2, 3]), batch_size=None)) == 3


def test_an_unknown_length_is_a_type_error():
    """It is how Python says that there is none; a loader works without."""
    dataset = dataset_of([1, 2], known=False)

    with pytest.raises(TypeError) as caught:
        len(dataset)

    assert str(caught.value) == "expected a known number of batches, got one that only reading tells - at len()"
    assert list(data.DataLoader(dataset, batch_size=None)) == [1, 2]


def test_the_flow_is_closed_after_the_last_batch():
    """Whoever reads to the end need not think of it; what was at its end stays there."""
    flow = Flow(iter([1, 2]))
    batches = iter(torch_dataset(lambda: flow, lambda: None))

    got = [list(batches), list(batches)]

    assert got == [[1, 2], []]
    assert flow.closed == 1


def test_the_flow_is_closed_after_an_error():
    """The user's error arrives as it was raised, and nothing stays open behind it."""

    def fails() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError("mine")

    flow = Flow(fails())
    batches = iter(torch_dataset(lambda: flow, lambda: None))

    with pytest.raises(ZeroDivisionError, match=r"^mine$"):
        list(batches)

    assert flow.closed == 1
    assert list(batches) == []


def test_an_interrupt_leaves_the_flow_as_it_is():
    """Ctrl-C in the middle of a wait is no end: the next call goes on where it stood."""

    class Interrupted:
        calls = 0

        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            self.calls += 1
            if self.calls == 1:
                raise KeyboardInterrupt
            return self.calls

    batches = iter(torch_dataset(Interrupted, lambda: None))

    with pytest.raises(KeyboardInterrupt):
        next(batches)

    assert next(batches) == 2


def test_an_iterator_that_is_dropped_lets_its_flow_go():
    """A flow that nobody holds closes itself, as a generator does."""
    ended = []

    def read() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            ended.append(True)

    loader = data.DataLoader(torch_dataset(read, lambda: None), batch_size=None)
    for _ in loader:
        break

    assert ended == [True]


def test_a_pickled_data_set_gives_the_same_batches():
    """Trainers that start processes send it to each of them."""
    again = pickle.loads(pickle.dumps(dataset_of([1, 2, 3])))

    assert isinstance(again, data.IterableDataset)
    assert list(again) == [1, 2, 3]
    assert len(again) == 3


# Stateful: the state is that after the last batch that was given.


def numbers() -> ps.Pipeline:
    return ps.join([list(range(40)), list(range(100, 140))]).shard("auto").shuffle(7).batch(4)


def test_an_iterator_goes_on_from_a_state_of_another():
    """As torchdata asks for it: of the iterator, which is given its state before the first batch."""
    batches = iter(numbers().torch())
    _ = [next(batches) for _ in range(3)]
    state = batches.state_dict()
    rest = [batch.tolist() for batch in batches]
    again = iter(numbers().torch())
    again.load_state_dict(state)

    assert again.state_dict() == state
    assert [batch.tolist() for batch in again] == rest
    assert next(numbers().open(state=state, inline=True)).tolist() == rest[0]


def test_an_iterator_goes_back_to_a_state_of_its_own():
    """In its middle, and after its end too."""
    batches = iter(numbers().torch())
    first, state = next(batches), batches.state_dict()
    rest = [batch.tolist() for batch in batches]
    ended = batches.state_dict()
    batches.load_state_dict(state)
    again = [batch.tolist() for batch in batches]
    batches.load_state_dict(ended)

    assert len(first) == 4
    assert again == rest
    assert list(batches) == []


def test_a_data_set_tells_of_its_latest_iterator():
    """As a trainer asks for it that is given the data set without a loader; its next iterator goes on, those after it begin."""
    dataset, other = numbers().torch(), numbers().torch()
    batches = iter(dataset)
    _ = [next(batches) for _ in range(3)]
    state = dataset.state_dict()
    rest = [batch.tolist() for batch in batches]
    other.load_state_dict(state)

    assert other.state_dict() == state
    assert [batch.tolist() for batch in other] == rest
    assert len(list(other)) == len(rest) + 3
    assert other.state_dict()["delivered"] == 0


def test_a_data_set_says_when_the_iterator_is_gone_whose_state_is_asked_for():
    """After `break` nobody holds it; the state of the beginning would pass for that of the middle."""
    dataset = numbers().torch()
    for _ in dataset:
        break

    with pytest.warns(ps.PenstockWarning, match=r"got one that was dropped halfway - at torch\(\)\.state_dict\(\)"):
        assert dataset.state_dict()["delivered"] == 0


def test_a_flow_opens_with_the_first_batch():
    """Trainers make iterators that they drop at once, and give others a state before they begin."""
    opened: list[Any] = []

    def open_flow(state: Any = None) -> Iterator[int]:
        opened.append(state)
        return iter([1, 2])

    dataset = torch_dataset(open_flow, lambda: None)
    iter(dataset)
    dataset.load_state_dict({"at": 1})
    got = list(dataset)

    assert got == [1, 2]
    assert opened == [{"at": 1}]


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_a_stateful_data_loader_goes_on_where_it_stood(workers: int):
    """Whatever its workers had ready: each tells where it stood with each batch. And through `torch.save`."""
    loaders = pytest.importorskip("torchdata.stateful_dataloader")

    def loader() -> Any:
        context = "fork" if workers else None
        return loaders.StatefulDataLoader(
            numbers().torch(), batch_size=None, num_workers=workers, multiprocessing_context=context
        )

    one, two = loader(), loader()
    batches = iter(one)
    _ = [next(batches) for _ in range(3)]
    file = io.BytesIO()
    torch.save(one.state_dict(), file)
    rest = [batch.tolist() for batch in batches]
    two.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))

    assert [batch.tolist() for batch in two] == rest
    assert len(rest) == 17
    assert len(list(two)) == 20, "the pass after it is a whole one"


def test_a_state_that_was_loaded_is_sent_along():
    """A data set that is pickled before its first iterator goes on as well."""
    dataset, other = numbers().torch(), numbers().torch()
    batches = iter(dataset)
    _ = [next(batches) for _ in range(3)]
    other.load_state_dict(dataset.state_dict())

    assert next(iter(pickle.loads(pickle.dumps(other)))).tolist() == next(batches).tolist()


@pytest.mark.slow
def test_lightning_goes_on_with_a_data_set_as_it_is(tmp_path: Path):
    """Without a loader; with one it is shown in docs/howto/checkpoint.md."""
    lightning = pytest.importorskip("lightning")
    saves = pytest.importorskip("lightning.pytorch.callbacks").ModelCheckpoint

    class Model(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)
            self.seen: list[Any] = []

        def training_step(self, batch: Any, number: int) -> Any:
            self.seen.append(batch.tolist())
            return self.layer(batch[:, None].float()).mean()

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 1e-9)

    def fit(steps: int, **settings: Any) -> list[Any]:
        trainer = lightning.Trainer(
            max_steps=steps,
            callbacks=[saves(tmp_path, filename="{step}", every_n_train_steps=3, save_top_k=-1)],
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        model = Model()
        trainer.fit(model, numbers().torch(), **settings)
        return model.seen

    whole = fit(5)

    assert len(whole) == 5
    assert fit(5, ckpt_path=tmp_path / "step=3.ckpt") == whole[3:]


@pytest.mark.slow
def test_a_worker_of_a_data_loader_is_refused():
    """Two workers would give each batch twice, and no error would ever tell."""
    loader = data.DataLoader(dataset_of([1, 2]), batch_size=None, num_workers=1, multiprocessing_context="spawn")

    with pytest.raises(PipelineError) as caught:
        list(loader)

    assert (
        "expected a `DataLoader` with `num_workers=0`, got worker 0 of 1 - at torch() - "
        "leave the workers out: the pipeline reads ahead itself, and each worker would give all batches"
    ) in str(caught.value)


@pytest.mark.slow
def test_workers_of_a_data_loader_take_their_shares(monkeypatch: pytest.MonkeyPatch):
    """With `shard("auto")` each worker of each rank reads a part of its own, so that nothing comes twice."""
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    pipeline = ps.join([list(range(16))]).shard("auto").batch(2)
    loader = data.DataLoader(pipeline.torch(), batch_size=None, num_workers=2, multiprocessing_context="spawn")

    assert [batch.tolist() for batch in loader] == [[2, 6], [3, 7], [10, 14], [11, 15]]
