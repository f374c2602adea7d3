"""Old scripts in the styles that they had, for the tests."""

QUEUES = '''\
"""Reads and prints, with queue runners."""
from __future__ import print_function

import tensorflow as tf  # the import


def read_and_decode(filename_queue):
    reader = tf.TextLineReader()
    _, line = reader.read(filename_queue)
    a, b = tf.decode_csv(line, record_defaults=[[0.0], [0]])
    return tf.stack([a, a * 2]), tf.cast(b, tf.int64)


def main():
    queue = tf.train.string_input_producer(["FILE"], num_epochs=1, shuffle=False)
    example, label = read_and_decode(queue)
    examples, labels = tf.train.batch([example, label], batch_size=2)
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(coord=coord)
        try:
            while not coord.should_stop():
                x, y = sess.run([examples, labels])
                print(x.tolist(), y.tolist())
        except tf.errors.OutOfRangeError:
            print("end")
        finally:
            coord.request_stop()
        coord.join(threads)


main()
'''

MODEL = """\
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def inputs(path, batch_size):
    queue = tf.train.string_input_producer([path])
    key, value = tf.FixedLengthRecordReader(record_bytes=5).read(queue)
    record = tf.decode_raw(value, tf.uint8)
    image = tf.to_float(tf.reshape(record[1:], [2, 2])) / 255.0
    label = tf.cast(record[0], tf.int32)
    return tf.train.shuffle_batch([image, label], batch_size, capacity=64, min_after_dequeue=32)


images, labels = inputs("data.bin", 16)
flat = tf.reshape(images, [16, 4])
w = tf.Variable(tf.zeros([4, 10]))
logits = tf.matmul(flat, w)
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    coord = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(sess, coord)
    try:
        for step in range(100):
            sess.run(train_op)
    except tf.errors.OutOfRangeError:
        pass
    coord.request_stop()
    coord.join(threads)
"""

SLIM = """\
import tensorflow as tf
from tensorflow.contrib.training import stratified_sample
import tensorflow.contrib.slim as slim

provider = slim.dataset_data_provider.DatasetDataProvider(dataset)
image, label = provider.get(["image", "label"])
[images], labels = stratified_sample([image], label, [0.5, 0.5], batch_size=32)
net = slim.conv2d(images, 64, [3, 3])
"""

MONITORED = """\
import tensorflow.compat.v1 as tf

serialized = tf.TFRecordReader().read(tf.train.string_input_producer(["FILE"], num_epochs=1))[1]
features = tf.parse_single_example(serialized, {
    "tokens": tf.VarLenFeature(tf.int64),  # ragged
    "label": tf.FixedLenFeature([], tf.int64),
})
tokens = tf.sparse_tensor_to_dense(features["tokens"])
_, batch = tf.contrib.training.bucket_by_sequence_length(
    tf.size(tokens), {"tokens": tokens, "label": features["label"]}, 2, [3], dynamic_pad=True)
with tf.train.MonitoredTrainingSession() as sess:
    while not sess.should_stop():
        print(sess.run(batch)["tokens"].shape)
"""

QUEUE_OBJECTS = """\
import tensorflow as tf

numbers = iter(range(6))
queue = tf.FIFOQueue(capacity=4, dtypes=[tf.int64], shapes=[[]])
enqueue = queue.enqueue([tf.py_func(lambda: next(numbers), [], tf.int64)])
tf.train.add_queue_runner(tf.train.QueueRunner(queue, [enqueue]))
data = queue.dequeue_many(3)
with tf.Session() as sess:
    coord = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(sess=sess, coord=coord)
    print(sess.run(data), sess.run(data))
    coord.request_stop()
    coord.join(threads)
"""

RECORDS = """\
import os
import tensorflow as tf

FLAGS = tf.app.flags.FLAGS
tf.app.flags.DEFINE_string("data_dir", "FOLDER", "where the files are")
tf.app.flags.DEFINE_integer("batch_size", 2, "examples in a batch")


def read_record(filename_queue):
    class Record(object):
        pass
    result = Record()
    reader = tf.FixedLengthRecordReader(record_bytes=13)
    result.key, value = reader.read(filename_queue)
    record = tf.decode_raw(value, tf.uint8)
    result.label = tf.cast(tf.strided_slice(record, [0], [1]), tf.int32)
    result.image = tf.transpose(tf.reshape(tf.strided_slice(record, [1], [13]), [3, 2, 2]), [1, 2, 0])
    return result


def inputs():
    filenames = [os.path.join(FLAGS.data_dir, name) for name in tf.gfile.ListDirectory(FLAGS.data_dir)]
    for name in filenames:
        if not tf.gfile.Exists(name):
            raise ValueError(name)
    with tf.name_scope("augmentation"), tf.device("/cpu:0"):
        read = read_record(tf.train.string_input_producer(filenames, num_epochs=1, shuffle=False))
        image = tf.image.per_image_standardization(tf.image.random_flip_left_right(tf.cast(read.image, tf.float32)))
        image.set_shape([2, 2, 3])
        read.label.set_shape([1])
    images, labels = tf.train.batch([image, read.label], FLAGS.batch_size, num_threads=16)
    return images, tf.reshape(labels, [FLAGS.batch_size])


def main(_):
    images, labels = inputs()
    supervisor = tf.train.Supervisor()
    with supervisor.managed_session() as sess:
        while not supervisor.should_stop():
            x, y = sess.run([images, labels])
            print(x.shape, y.tolist())


if __name__ == "__main__":
    tf.app.run()
"""

MODULE = """\
import tensorflow as tf
from tensorflow.python.platform import gfile


class Reader:
    def __init__(self, path):
        self.queue = tf.train.string_input_producer(gfile.Glob(path))

    def next(self):
        _, record = tf.TFRecordReader().read(self.queue)
        context, steps = tf.parse_single_sequence_example(
            record, {"n": tf.FixedLenFeature([], tf.int64)}, {"words": tf.FixedLenSequenceFeature([], tf.int64)})
        return tf.contrib.training.bucket_by_sequence_length(context["n"], [steps["words"]], 32, [10, 20], dynamic_pad=True)


def summarised(reader):
    lengths, [words] = reader.next()
    tf.summary.histogram("lengths", lengths)
    return words


def config(args):
    return tf.constant(args.queue)
"""
