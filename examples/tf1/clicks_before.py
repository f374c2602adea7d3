"""A classifier of rare frauds, as it was written for TF1; of its input side only the import has changed."""

import numpy as np
from toys import Softmax, clicks

from penstock import tf1 as tf  # import tensorflow as tf

filename_queue = tf.train.string_input_producer([clicks()], num_epochs=2)
reader = tf.TextLineReader(skip_header_lines=1)
_, line = reader.read(filename_queue)
amount, age, fraud = tf.decode_csv(line, record_defaults=[[0.0], [0.0], [0]])
[x], labels = tf.contrib.training.stratified_sample(
    [tf.stack([amount, age])], fraud, target_probs=np.array([0.5, 0.5]), batch_size=16, init_probs=[0.98, 0.02]
)

model = Softmax(inputs=2, classes=2)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(tf.local_variables_initializer())
    coord = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(sess=sess, coord=coord)
    try:
        while True:
            x_batch, label_batch = sess.run([x, labels])
            assert label_batch.sum() == 8
            model.step(x_batch, label_batch)
    except tf.errors.OutOfRangeError:
        print("done:", model.told())
    coord.request_stop()
    coord.join(threads)
