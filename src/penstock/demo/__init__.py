"""The demo: handwritten digits from nine files, joined into batches, and a small model trained on them.

Then the same digits long-tailed, and what the model learns of them with and without class proportions.
At last the files are read once more by a feed that is stopped in the middle, and goes on in a new process.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock.data import EXAMPLES
from penstock.demo import chart, contest, feed, picture, resume
from penstock.demo.diary import Diary
from penstock.demo.model import InkModel
from penstock.demo.resume import Broken
from penstock.demo.screen import Screen
from penstock.demo.trial import Trial
from penstock.stats import FlowStats

__all__ = ["Outcome", "go_on", "run"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of a run of the demo."""

    accuracy: float
    """Share of the held-out examples that the model reads right, from 0 to 1."""
    held_out: int
    """How many those were. [examples]"""
    diary: Diary
    """What went by while it trained."""
    stats: FlowStats
    """Of the flow that it trained on."""
    trials: tuple[Trial, ...]
    """What came of the second part, one for each way to make batches."""
    broken: tuple[Broken, ...]
    """What came of the third, one for each feed that was stopped in the middle."""


def run(*, out: Path, epochs: int = 1, batch_size: int = 32, seed: int = 0) -> Outcome:
    """Runs the demo in the terminal, and writes its pictures.

    Args:
      out: where the picture goes; its ending says in which format. That of the second part goes beside it, under the
        same name with `-classes` added.
      epochs: passes over the training examples, in the first part.
      batch_size: examples in a batch, in the first part and the third. [examples]
      seed: of the models' initial weights, and of the order and the choices in the second part; the batches of the first
        are the same for each.

    Raises:
      MissingExtra: pyarrow, matplotlib or rich is not installed.
      PipelineError: the pictures cannot be written there.
      StateError: what was stopped did not go on as it should.
    """
    beside = out.with_stem(f"{out.stem}-classes")
    for path in out, beside:
        picture.check_path(path)
    screen = Screen()
    names = feed.names()
    screen.say(f"{EXAMPLES['train']:,} handwritten digits in {len(names)} files, joined into batches of {batch_size}")
    pipeline = feed.training(batch_size=batch_size, epochs=epochs)
    screen.say(f"{pipeline.spec()}\n")

    model, diary = InkModel(seed=seed), Diary(names)
    with screen.progress(EXAMPLES["train"] * epochs) as advance, pipeline.open() as flow:
        for batch in flow:
            loss = model.train(batch["ink"], batch["mask"], batch["digit"])
            diary.note(batch, loss)
            advance(len(batch["digit"]), loss)
        stats, report = flow.stats(), flow.report()

    accuracy, held_out = _test(model)
    picture.draw(out, diary, accuracy=accuracy, held_out=held_out)
    screen.sources(stats)
    screen.say(f"{report}\n")
    screen.say(f"accuracy  {accuracy:.1%} of {held_out} held-out examples, after {_times(epochs, 'epoch')}")
    screen.say(f"picture   {out}\n")

    trials = contest.hold(screen, seed=seed)
    chart.draw(beside, trials)
    screen.say(f"picture   {beside}\n")

    broken = resume.break_off(screen, batch_size=batch_size)
    return Outcome(accuracy, held_out, diary, stats, trials, broken)


def go_on(*, batch_size: int = 32) -> tuple[Broken, ...]:
    """Runs the third part alone: stops feeds in the middle, and goes on in new processes.

    Args:
      batch_size: examples in a batch. [examples]

    Raises:
      MissingExtra: pyarrow or rich is not installed.
      StateError: what was stopped did not go on as it should.
    """
    return resume.break_off(Screen(), batch_size=batch_size)


def _test(model: InkModel) -> tuple[float, int]:
    """The share of held-out examples that the model reads right, and how many there are."""
    right = total = 0
    for batch in feed.held_out(batch_size=64):
        right += int((model.predict(batch["ink"], batch["mask"]) == batch["digit"]).sum())
        total += len(batch["digit"])
    return right / total, total


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
