"""`tf.train`: TF1's input functions, and the threads of its scripts."""

from penstock.tf1 import coordinator
from penstock.tf1 import runner as queue_runner
from penstock.tf1.coordinator import Coordinator
from penstock.tf1.examples import (
    BytesList,
    Example,
    Feature,
    FeatureList,
    FeatureLists,
    Features,
    FloatList,
    Int64List,
    SequenceExample,
)
from penstock.tf1.joins import batch, batch_join, maybe_batch, maybe_batch_join
from penstock.tf1.limits import limit_epochs
from penstock.tf1.looper import LooperThread
from penstock.tf1.monitored import MonitoredSession, Supervisor
from penstock.tf1.monitored import MonitoredSession as MonitoredTrainingSession
from penstock.tf1.monitored import MonitoredSession as SingularMonitoredSession
from penstock.tf1.producers import (
    input_producer,
    match_filenames_once,
    range_input_producer,
    slice_input_producer,
    string_input_producer,
)
from penstock.tf1.runner import QueueRunner, add_queue_runner, start_queue_runners
from penstock.tf1.server import Server
from penstock.tf1.shuffles import (
    maybe_shuffle_batch,
    maybe_shuffle_batch_join,
    shuffle_batch,
    shuffle_batch_join,
)

__all__ = [
    "BytesList",
    "Coordinator",
    "Example",
    "Feature",
    "FeatureList",
    "FeatureLists",
    "Features",
    "FloatList",
    "Int64List",
    "LooperThread",
    "MonitoredSession",
    "MonitoredTrainingSession",
    "QueueRunner",
    "SequenceExample",
    "Server",
    "SingularMonitoredSession",
    "Supervisor",
    "add_queue_runner",
    "batch",
    "batch_join",
    "coordinator",
    "input_producer",
    "limit_epochs",
    "match_filenames_once",
    "maybe_batch",
    "maybe_batch_join",
    "maybe_shuffle_batch",
    "maybe_shuffle_batch_join",
    "queue_runner",
    "range_input_producer",
    "shuffle_batch",
    "shuffle_batch_join",
    "slice_input_producer",
    "start_queue_runners",
    "string_input_producer",
]
