"""The mechanism: the only files with threads and what they wait on."""

from penstock.engine.bell import Bell
from penstock.engine.breath import Breath
from penstock.engine.coordinator import Coordinator
from penstock.engine.forks import forks
from penstock.engine.head import Head, InlineHead
from penstock.engine.kernels import Delivery, Entry
from penstock.engine.lane import Lane, Wave
from penstock.engine.meter import Meter
from penstock.engine.pauses import Pauses
from penstock.engine.puller import Puller
from penstock.engine.shots import Shots
from penstock.engine.watchdog import Watchdog

__all__ = [
    "Bell",
    "Breath",
    "Coordinator",
    "Delivery",
    "Entry",
    "Head",
    "InlineHead",
    "Lane",
    "Meter",
    "Pauses",
    "Puller",
    "Shots",
    "Watchdog",
    "Wave",
    "forks",
]
