"""TF1's queue-based input functions, over the same parts as the rest of penstock: `from penstock import tf1 as tf`.

What TF1's functions returned as tensors are *handles* here: unpacked once, outside of the loop, and read step after step by
`sess.run`, or without a session by `next(tf.feed(handles))`. Nothing has to be initialised or started.
It is the input side alone: models, variables and summaries are TensorFlow's.
"""

import sys
from typing import NoReturn

from penstock.errors import mismatch
from penstock.tf1 import (
    app,
    compat,
    contrib,
    dtypes,
    errors,
    flags,
    gfile,
    image,
    io,
    logging,
    math,
    ops,
    python_io,
    queue,
    random,
    sparse,
    strings,
    train,
)
from penstock.tf1.coding import (
    decode_csv,
    decode_raw,
    read_file,
    string_split,
    string_to_hash_bucket_fast,
    string_to_number,
    substr,
)
from penstock.tf1.defaults import (
    Graph,
    GraphKeys,
    add_to_collection,
    control_dependencies,
    device,
    get_collection,
    name_scope,
    op_scope,
    variable_scope,
)
from penstock.tf1.defaults import default_graph as get_default_graph
from penstock.tf1.defaults import default_session as get_default_session
from penstock.tf1.defaults import reset as reset_default_graph
from penstock.tf1.dtypes import *  # noqa: F403
from penstock.tf1.feeds import Feed, feed
from penstock.tf1.handles import Handle
from penstock.tf1.handles import Handle as Tensor
from penstock.tf1.initializers import (
    disable_eager_execution,
    disable_v2_behavior,
    global_variables_initializer,
    initialize_all_variables,
    initialize_local_variables,
    local_variables_initializer,
    tables_initializer,
)
from penstock.tf1.math import *  # noqa: F403
from penstock.tf1.ops import *  # noqa: F403
from penstock.tf1.parsing import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    VarLenFeature,
    parse_example,
    parse_single_example,
    parse_single_sequence_example,
)
from penstock.tf1.provider import DataProvider, data_provider
from penstock.tf1.queues import FIFOQueue, PaddingFIFOQueue, PriorityQueue, QueueBase, RandomShuffleQueue
from penstock.tf1.randomness import (
    random_crop,
    random_normal,
    random_shuffle,
    random_uniform,
    set_random_seed,
    truncated_normal,
)
from penstock.tf1.readers import (
    FixedLengthRecordReader,
    IdentityReader,
    TextLineReader,
    TFRecordReader,
    WholeFileReader,
)
from penstock.tf1.session import ConfigProto, GPUOptions, RunOptions, Session
from penstock.tf1.session import interactive_session as InteractiveSession  # noqa: N812
from penstock.tf1.shape import Dimension
from penstock.tf1.shape import Shape as TensorShape
from penstock.tf1.sparse import SparseTensor, SparseTensorValue, sparse_tensor_to_dense, sparse_to_dense

__all__ = [
    "ConfigProto",
    "GPUOptions",
    "RunOptions",
    "DataProvider",
    "Dimension",
    "FIFOQueue",
    "Feed",
    "FixedLenFeature",
    "FixedLenSequenceFeature",
    "FixedLengthRecordReader",
    "Graph",
    "GraphKeys",
    "Handle",
    "IdentityReader",
    "InteractiveSession",
    "PaddingFIFOQueue",
    "PriorityQueue",
    "QueueBase",
    "RandomShuffleQueue",
    "Session",
    "SparseTensor",
    "SparseTensorValue",
    "TFRecordReader",
    "Tensor",
    "TensorShape",
    "TextLineReader",
    "VarLenFeature",
    "WholeFileReader",
    "add_to_collection",
    "app",
    "compat",
    "contrib",
    "control_dependencies",
    "device",
    "flags",
    "gfile",
    "io",
    "logging",
    "math",
    "name_scope",
    "newaxis",
    "op_scope",
    "queue",
    "random",
    "strings",
    "truncated_normal",
    "variable_scope",
    "data_provider",
    "decode_csv",
    "decode_raw",
    "disable_eager_execution",
    "disable_v2_behavior",
    "errors",
    "feed",
    "get_collection",
    "get_default_graph",
    "get_default_session",
    "global_variables_initializer",
    "image",
    "initialize_all_variables",
    "initialize_local_variables",
    "local_variables_initializer",
    "parse_example",
    "parse_single_example",
    "parse_single_sequence_example",
    "python_io",
    "random_crop",
    "random_normal",
    "random_shuffle",
    "random_uniform",
    "read_file",
    "reset_default_graph",
    "set_random_seed",
    "sparse",
    "sparse_tensor_to_dense",
    "sparse_to_dense",
    "string_split",
    "string_to_hash_bucket_fast",
    "string_to_number",
    "substr",
    "tables_initializer",
    "train",
]
__all__ += math.__all__
__all__ += ops.__all__
__all__ += dtypes.__all__

newaxis = None
compat.v1 = sys.modules[__name__]


def __getattr__(name: str) -> NoReturn:
    do = "models, variables and summaries stay with TensorFlow: `import tensorflow as tf`, `from penstock import tf1`"
    raise AttributeError(mismatch("a name of TF1's input side", f"`{name}`", at="penstock.tf1", do=do))
