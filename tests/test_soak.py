"""Streams that raise, stall, end and come back, for as long as one can wait for it: nothing is lost, and nothing grows."""

from __future__ import annotations

import pytest

from scenario import run_script

SCRIPT = """
import json, random, warnings
from collections import Counter
from itertools import islice
from queue import SimpleQueue

from penstock.errors import PenstockWarning

RUNS = 60
EPOCHS = 3
choose = random.Random(7)
waiting = SimpleQueue()

def tide():
    '''Lets those who stall go on, each only when it has come to wait.'''
    while (stalled := waiting.get()) is not None:
        stalled.set()

class Erratic:
    '''A stream that breaks at some places once or twice, and stalls at others; opened again, it is all there.'''

    def __init__(self, number, length):
        self.number, self.length = number, length
        self.breaks = {choose.randrange(length): choose.randrange(1, 3) for _ in range(4)}
        self.stalls = {choose.randrange(length) for _ in range(5)}
        self.bad = set()

    def __call__(self):
        for index in range(self.length):
            if self.breaks.get(index):
                self.breaks[index] -= 1
                raise OSError(f"{self.number}/{index}")
            if index in self.stalls:
                stalled = Event()
                waiting.put(stalled)
                stalled.wait()
            yield 1000 * self.number + index

class Spoilt:
    '''A data set of which some examples cannot be read, ever.'''

    def __init__(self, number, length):
        self.number, self.length = number, length
        self.bad = {choose.randrange(length) for _ in range(3)}

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        if index in self.bad:
            raise ValueError(f"{self.number}/{index}")
        return 1000 * self.number + index

def kinds(sources):
    on_error = ps.Retry(times=3, backoff_s=0) | ps.Skip(at_most=1000)
    retried = [ps.join([source]).map(abs) if choose.random() < 0.5 else source for source in sources]
    order = choose.choice([{}, {"order": "arrival"}, {"weights": [1 + choose.randrange(3) for _ in sources]}])
    pipeline = ps.join(retried, **order).repeat(EPOCHS)
    if choose.random() < 0.5:
        pipeline = pipeline.shuffle(choose.randrange(2, 60))
    return pipeline.batch(choose.randrange(1, 17), keep_last=True).options(on_error=on_error)

def run():
    '''One run, broken off and gone on with at random, closed or only dropped; gives how often it was.'''
    sources = [choose.choice([Erratic, Spoilt])(number, choose.randrange(20, 120)) for number in range(choose.randrange(1, 7))]
    pipeline, state, breaks = kinds(sources), None, 0
    delivered = Counter()
    while True:
        most = choose.randrange(1, 40)
        flow = pipeline.open(state=state, inline=choose.random() < 0.1)
        taken = 0
        for batch in islice(flow, most):
            delivered.update(batch.tolist())
            taken += 1
        if taken < most:
            break
        state = json.loads(json.dumps(flow.state_dict()))
        if choose.random() < 0.7:
            flow.close()
        del flow
        breaks += 1
    skipped = sum(skip.skipped for skip in flow.stats().skips)
    want = Counter({1000 * s.number + i: EPOCHS for s in sources for i in range(s.length) if i not in s.bad})
    assert delivered == want, (delivered - want, want - delivered)
    assert skipped == EPOCHS * sum(len(source.bad) for source in sources), skipped
    return breaks

def resident():
    gc.collect()
    for thread in threading.enumerate():
        if thread.name.startswith("ps-"):
            thread.join()
    with open("/proc/self/statm") as file:
        return sys.getallocatedblocks(), int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

tides = Thread(target=tide, daemon=True)
tides.start()
began = time.monotonic()
warnings.simplefilter("ignore", PenstockWarning)
breaks = 0
for number in range(RUNS):
    if number == RUNS // 3:
        blocks, nbytes = resident()
    breaks += run()
waiting.put(None)
tides.join()
ending()
later_blocks, later_nbytes = resident()
print("breaks", breaks)
print("blocks", later_blocks - blocks)
print("megabytes", (later_nbytes - nbytes) / 1e6)
print("seconds", time.monotonic() - began)
nothing_left()
"""


@pytest.mark.slow
def test_streams_that_raise_stall_end_and_come_back_lose_nothing_and_leave_nothing():
    """Runs that are broken off and resumed, one after the other, in one process: each delivers all that can be read."""
    script = run_script(SCRIPT, patience_s=100)

    assert (script.code, script.errors) == (0, "")
    assert script.lines[-1] == "left [] []"
    figures = {name: float(figure) for name, figure in (line.split() for line in script.lines[:-1])}
    assert figures["breaks"] > 200
    assert figures["blocks"] < 10_000
    assert figures["megabytes"] < 4
