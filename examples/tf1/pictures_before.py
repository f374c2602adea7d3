"""A CIFAR-like image classifier, as it was written for TF1; of its input side only the import has changed."""

from toys import Softmax, pictures

from penstock import tf1 as tf  # import tensorflow as tf


def read_cifar(filename_queue):
    reader = tf.FixedLengthRecordReader(record_bytes=1 + 3 * 8 * 8)
    _, value = reader.read(filename_queue)
    record = tf.decode_raw(value, tf.uint8)
    label = tf.cast(tf.strided_slice(record, [0], [1]), tf.int32)
    depth_major = tf.reshape(tf.strided_slice(record, [1], [193]), [3, 8, 8])
    return tf.transpose(depth_major, [1, 2, 0]), label


def distorted_inputs(filenames, batch_size):
    filename_queue = tf.train.string_input_producer(filenames, num_epochs=3)
    image, label = read_cifar(filename_queue)
    image = tf.cast(image, tf.float32)
    image = tf.random_crop(image, [6, 6, 3])
    image = tf.image.random_flip_left_right(image)
    image = tf.image.per_image_standardization(image)
    label.set_shape([1])
    images, labels = tf.train.shuffle_batch(
        [image, label], batch_size=batch_size, num_threads=16, capacity=300, min_after_dequeue=200
    )
    return images, tf.reshape(labels, [batch_size])


images, labels = distorted_inputs(pictures(), batch_size=32)
model = Softmax(inputs=6 * 6 * 3, classes=3)
with tf.Session() as sess:
    sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
    coord = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(sess=sess, coord=coord)
    try:
        while not coord.should_stop():
            model.step(*sess.run([images, labels]))
    except tf.errors.OutOfRangeError:
        print("done:", model.told())
    finally:
        coord.request_stop()
    coord.join(threads)
