"""A text classifier over bags of tokens, as it was written for TF1; of its input side only the import has changed."""

import numpy as np
from toys import Softmax, texts

from penstock import tf1 as tf  # import tensorflow as tf

filename_queue = tf.train.string_input_producer([texts()], num_epochs=5)
_, serialized = tf.TFRecordReader().read(filename_queue)
features = tf.parse_single_example(
    serialized, features={"tokens": tf.VarLenFeature(tf.int64), "label": tf.FixedLenFeature([], tf.int64)}
)
tokens = tf.sparse_tensor_to_dense(features["tokens"])
length, (tokens, label) = tf.contrib.training.bucket_by_sequence_length(
    tf.shape(tokens)[0],
    [tokens, features["label"]],
    batch_size=16,
    bucket_boundaries=[10, 20, 30],
    dynamic_pad=True,
    allow_smaller_final_batch=True,
)

model = Softmax(inputs=41, classes=2)
with tf.train.MonitoredTrainingSession() as sess:
    while not sess.should_stop():
        words, labels, lengths = sess.run([tokens, label, length])
        bags = (words[:, :, None] == np.arange(1, 42)).sum(1) / lengths[:, None]
        model.step(bags, labels, rate=5.0)
print("done:", model.told())
