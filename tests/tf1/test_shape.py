"""What is known of shapes before anything ran: models ask for it in many ways."""

import numpy as np
import pytest

from penstock import tf1 as tf


def test_a_batch_of_distorted_images_knows_its_shape():
    """Through what TF1's scripts do to an image, and to arithmetic with it."""
    pixels = tf.reshape(tf.decode_raw(tf.constant(bytes(192)), tf.uint8), [8, 8, 3])
    image = tf.image.random_flip_left_right(tf.random_crop(tf.cast(pixels, tf.float32), [6, 6, 3]))
    image = tf.image.per_image_standardization(tf.image.random_brightness(image, 0.5)) * 2.0 - 1.0
    images = tf.train.batch([image], 4)

    assert images.get_shape().as_list() == [4, 6, 6, 3]
    assert next(tf.feed(images)).shape == (4, 6, 6, 3)
    jpeg = tf.image.decode_jpeg(tf.constant(b""), channels=3)
    assert jpeg.get_shape().as_list() == [None, None, 3]
    assert tf.image.resize_images(jpeg, [5, 4]).get_shape().as_list() == [5, 4, 3]


def test_sizes_are_dimensions_and_numbers():
    """`shape[0].value` of the time before TensorFlow 2, and what counts with it."""
    shape = tf.placeholder(tf.float32, [None, 3, 4]).get_shape()

    assert shape[0].value is None
    assert [shape[1].value, int(shape[1]), shape[1] * 2, 2 * shape[1], shape[1] - 1, 7 // shape[1]] == [
        3,
        3,
        6,
        6,
        2,
        2,
    ]
    assert (shape[0] * 2).value is None
    assert shape[1] < shape[2] > 3
    assert shape[1:].num_elements() == 12
    assert shape[1:].is_fully_defined()
    assert (shape.num_elements(), shape.is_fully_defined(), shape.ndims) == (None, False, 3)
    assert shape.dims == [None, 3, 4]
    assert repr(shape) == "(?, 3, 4)"
    assert hash(shape[1]) == hash(3)
    assert not tf.TensorShape(None)
    with pytest.raises(TypeError, match="not known before it runs"):
        int(shape[0])
    x = tf.constant(np.zeros((3, 4)))
    assert next(tf.feed(tf.reshape(x, [x.get_shape()[0] * 2, -1]))).shape == (6, 2)
    x.set_shape(x.get_shape())
    assert next(tf.feed(x + x.get_shape()[0])).max() == 3


def test_the_shape_of_a_known_rank_comes_apart():
    """`height, width, _ = tf.unstack(tf.shape(image))`."""
    height, width = tf.unstack(tf.shape(tf.constant(np.zeros((3, 4)))))

    assert next(tf.feed([height, width])) == [3, 4]


def test_an_index_may_hold_handles():
    """Numbers, ends of slices, and masks."""
    x, one = tf.constant(np.arange(12).reshape(3, 4)), tf.constant(1)

    got = next(tf.feed([x[one], x[one, 2], x[one:], x[:, one:3], x[..., tf.newaxis, one], x[tf.greater(x, 9)]]))
    assert [np.asarray(part).tolist() for part in got] == [
        [4, 5, 6, 7],
        6,
        [[4, 5, 6, 7], [8, 9, 10, 11]],
        [[1, 2], [5, 6], [9, 10]],
        [[1], [5], [9]],
        [10, 11],
    ]


def test_other_doors_to_the_same_names():
    """`tf.compat.v1`, modules of `tf.train`, and collections."""
    with tf.Graph().as_default() as graph:
        queue = tf.FIFOQueue(1, tf.int32, shapes=[[]])
        runner = tf.compat.v1.train.queue_runner.QueueRunner(queue, [queue.enqueue(1)])
        tf.add_to_collection(tf.GraphKeys.QUEUE_RUNNERS, runner)
        tf.add_to_collection("inputs", queue)

        assert graph.queue_runners == tf.get_collection("queue_runners") == [runner]
        assert tf.get_collection("inputs") == [queue]
        tf.reset_default_graph()
        assert tf.get_collection("inputs") == []
    assert tf.train.coordinator.Coordinator is tf.train.Coordinator
    assert (tf.compat.as_bytes("é"), tf.compat.as_text(b"a"), tf.compat.as_str("a")) == ("é".encode(), "a", "a")


def test_what_is_no_handle_is_not_fetched():
    """A queue says how its next element is asked for."""
    queue = tf.FIFOQueue(1, tf.int32)

    with (
        tf.Session() as sess,
        pytest.raises(TypeError, match=r"got `FIFOQueue` - .* - its next element: `x.dequeue\(\)`"),
    ):
        sess.run(queue)
