"""A run that is killed and started again, a hundred times, trains on what the unbroken run trains on."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from scenario import run_script

pytest.importorskip("pyarrow")
import pyarrow as pa
import pyarrow.parquet as pq

KILLS = 100

SCRIPT = """
import json, random, select, traceback
from itertools import islice

import numpy as np

import penstock.engine.lane as lane
import penstock.engine.shots as shots
from penstock.checksum import checksum

folder, kills = sys.argv[1], int(sys.argv[2])
every = 5
'''A state is saved after so many batches. [batches]'''

def jittered(example, rng):
    return {**example, "noise": rng.random()}

def files():
    tables = ps.read_parquet(f"{folder}/*.parquet", streams=2, shuffle_files=True).map(jittered)
    return ps.join([tables, ps.read_jsonl(f"{folder}/*.jsonl", streams=2).map(jittered)])

runs = {
    "shuffled": lambda: files().shuffle(100).pad(ink=(None,), mask="mask").batch(8, keep_last=True),
    "stratified": lambda: (
        files().repeat(2).stratify("class", "uniform", repeats=3).map(jittered).shuffle(50).pad(ink=(None,)).batch(12)
    ),
}

def saved(name):
    try:
        with open(f"{folder}/{name}.saved") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"trained": [], "state": None, "over": False}

def save(name, record):
    '''What was trained on, and the state behind it, in one step: a kill leaves the old or the new.'''
    with open(f"{folder}/{name}.saving", "w") as file:
        json.dump(record, file)
    os.replace(f"{folder}/{name}.saving", f"{folder}/{name}.saved")

def train(name, log, life):
    '''One life of a run, which tells of each batch; the weights that it trains are the list of what it was trained on.'''
    before = saved(name)
    trained = before["trained"]
    with runs[name]().open(state=before["state"]) as flow:
        for batch in flow:
            trained.append(checksum(batch))
            os.write(log, b"%d %d\\n" % (len(trained) - 1, trained[-1]))
            os.write(life, b".")
            if len(trained) % every == 0:
                save(name, {"trained": trained, "state": flow.state_dict(), "over": False})
    save(name, {"trained": trained, "state": None, "over": True})

def in_a_life_of_its_own(work, most_s=None, most=None):
    '''Forks, and kills the child if it lives longer, or has trained on so many batches; gives whether it was killed.'''
    alive, life = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(alive)
        try:
            work(life)
            os._exit(0)
        finally:
            traceback.print_exc()
            os._exit(1)
    os.close(life)
    seen, ends = 0, None if most_s is None else time.monotonic() + most_s
    while True:
        if not select.select([alive], [], [], None if ends is None else max(0.0, ends - time.monotonic()))[0]:
            killed = True
            break
        more = len(os.read(alive, 1 << 16))
        seen += more
        killed = (most is not None and seen >= most) or (ends is not None and time.monotonic() >= ends)
        if not more or killed:
            break
    if killed:
        os.kill(child, signal.SIGKILL)
    os.close(alive)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code == 0 or (killed and code == -signal.SIGKILL), code
    return code != 0

for make in runs.values():  # whatever is imported late is imported before the first life
    list(islice(make().open(inline=True), 3))

choose = random.Random(0)
for name in runs:
    began = time.monotonic()
    in_a_life_of_its_own(lambda life: train(name, os.open(os.devnull, os.O_WRONLY), life))
    unbroken_s = time.monotonic() - began
    whole = saved(name)["trained"]
    os.remove(f"{folder}/{name}.saved")

    log = os.open(f"{folder}/{name}.log", os.O_CREAT | os.O_RDWR | os.O_APPEND)
    struck, finished, places = 0, 0, set()
    while struck < kills // len(runs) or not finished:
        # By turns at a moment, which may well be before the first batch, and in the middle of the batches.
        end = [{"most_s": choose.uniform(0, unbroken_s / 3)}, {"most": choose.randrange(1, len(whole) // 3)}][struck % 2]
        shots.PART, lane.NOTING = choose.choice([(250.0, 100.0), (0.0, 0.0)])
        struck += in_a_life_of_its_own(
            lambda life: train(name, log, life), **(end if struck < kills // len(runs) else {})
        )
        record = saved(name)
        places.add(len(record["trained"]))
        assert record["trained"] == whole[: len(record["trained"])], "another batch was trained on"
        if record["over"]:
            assert len(record["trained"]) == len(whole), "batches are missing"
            finished += 1
            os.remove(f"{folder}/{name}.saved")
    os.lseek(log, 0, os.SEEK_SET)
    with open(log) as file:
        handed_over = [tuple(map(int, line.split())) for line in file]
    assert all(whole[number] == value for number, value in handed_over), "another batch was handed over"
    lost = len(handed_over) - finished * len(whole)
    print(name, len(whole), struck, finished, len(places), lost)
ending()
"""


def write_files(folder: Path) -> None:
    """Two kinds of files of unequal length, in which one class of three is rare."""
    choose = random.Random(0)
    for number in range(3):
        count = 240 + 40 * number
        classes = choose.choices([0, 1, 2], [0.6, 0.3, 0.1], k=count)
        ids = range(10_000 * number, 10_000 * number + count)
        ink = [[choose.randrange(100) for _ in range(choose.randrange(1, 9))] for _ in ids]
        table = pa.table({"id": ids, "class": classes, "ink": ink})
        pq.write_table(table, folder / f"{number}.parquet", row_group_size=37)
        rows = zip(ids, classes, ink, strict=True)
        lines = [json.dumps({"id": -1 - at, "class": label, "ink": some}) + "\n" for at, label, some in rows]
        (folder / f"{number}.jsonl").write_text("".join(lines[: count - 70 * number]))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the lives of a run are forked from one process")
def test_a_run_that_is_killed_a_hundred_times_trains_on_what_the_unbroken_run_trains_on(tmp_path: Path):
    """SIGKILL asks nobody, wherever it strikes: what counts is what was saved, in one step, with the state."""
    write_files(tmp_path)

    script = run_script(SCRIPT, str(tmp_path), str(KILLS), patience_s=100)

    assert (script.code, script.errors) == (0, "")
    assert [line.split()[0] for line in script.lines] == ["shuffled", "stratified"]
    for line in script.lines:
        batches, struck, finished, places, lost = map(int, line.split()[1:])
        assert batches > 100
        assert struck == KILLS // 2
        assert finished > 0
        assert places > 3, "the kills did not strike in the middle"
        assert lost > 0, "no kill struck between two states"
