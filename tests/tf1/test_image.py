"""`tf.image`: values as TensorFlow 2.21's `tf.image` gave them for the same pixels."""

import io
from typing import Any

import numpy as np
import pytest

from penstock import tf1 as tf

PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10


def value(handle: tf.Handle) -> np.ndarray:
    return np.asarray(next(tf.feed(handle)))


def test_pixels_are_moved_about():
    """Flips, crops and padding change no value."""
    x = tf.constant(PIXELS)

    assert (value(tf.image.flip_left_right(x)) == PIXELS[:, ::-1]).all()
    assert (value(tf.image.flip_up_down(x)) == PIXELS[::-1]).all()
    assert (value(tf.image.central_crop(x, 0.5)) == PIXELS[:, 1:3]).all()
    assert (value(tf.image.crop_to_bounding_box(x, 0, 1, 2, 2)) == PIXELS[:, 1:3]).all()
    padded = value(tf.image.resize_image_with_crop_or_pad(x, 4, 2))
    assert (padded[1:3] == PIXELS[:, 1:3]).all()
    assert not padded[[0, 3]].any()


def test_integers_stand_for_0_to_1():
    """Brightness and contrast are changed there, and cut as TensorFlow cuts."""
    x = tf.constant(PIXELS[:1, :2])

    assert value(tf.image.convert_image_dtype(x, tf.float32)).max() == np.float32(50 / 255)
    assert value(tf.image.adjust_brightness(x, 0.1)).tolist() == [[[25, 35, 45], [55, 65, 75]]]
    assert value(tf.image.adjust_contrast(x, 0.5)).tolist() == [[[7, 17, 27], [22, 32, 42]]]
    half = tf.constant(np.array([0.0, 0.5, 1.0, 2.0], np.float32))
    assert value(tf.image.convert_image_dtype(half, tf.uint8)).tolist() == [0, 127, 255, 255]


def test_an_image_is_standardized():
    """Mean 0 and deviation 1; one that is the same everywhere stays finite."""
    one = value(tf.image.per_image_standardization(tf.constant(PIXELS)))
    flat = value(tf.image.per_image_standardization(tf.constant(np.ones((2, 2, 3), np.uint8))))

    assert one.dtype == np.float32
    assert abs(one.mean()) < 1e-6
    assert abs(one.std() - 1) < 1e-6
    assert not flat.any()


def test_distortions_are_drawn_anew_and_the_same_on_every_run():
    """Of a hundred steps some are flipped and some are not, and the next run flips the same."""
    with tf.Graph().as_default():
        x = tf.constant(PIXELS.astype(np.float32))
        distorted = {
            "flip": tf.image.random_flip_left_right(x),
            "crop": tf.random_crop(x, [1, 2, 3]),
            "bright": tf.image.random_brightness(x, 60),
            "contrast": tf.image.random_contrast(x, 0.2, 1.8),
        }

    runs = []
    for _ in range(2):
        with tf.feed(distorted) as feed:
            runs.append([next(feed) for _ in range(100)])

    flipped = sum((step["flip"] != PIXELS).any() for step in runs[0])
    assert 20 < flipped < 80  # Six sigma of 50.
    assert len({step["bright"].sum() for step in runs[0]}) > 90
    for one, other in zip(*runs, strict=True):
        assert all((one[name] == other[name]).all() for name in one)


def test_the_bytes_of_an_image_become_pixels():
    """By Pillow, grey or in colours."""
    pillow = pytest.importorskip("PIL.Image")
    packed = io.BytesIO()
    pillow.fromarray(PIXELS).save(packed, "PNG")
    raw = tf.constant(packed.getvalue())

    assert (value(tf.image.decode_png(raw, channels=3)) == PIXELS).all()
    assert value(tf.image.decode_image(raw, channels=1)).shape == (2, 4, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected the bytes of an image"):
        value(tf.image.decode_jpeg(tf.constant(b"none")))


def test_images_in_another_size():
    """Pixels are points at their upper left corners, as in TF1; or the corners stay where they are."""
    pixels = tf.constant(np.array([[0, 10], [20, 30]], np.uint8)[..., None])

    def resized(size: list[int], *more: int | bool) -> Any:
        return next(tf.feed(tf.image.resize_images(pixels, size, *more)))[..., 0]

    assert resized([2, 4]).tolist() == [[0, 5, 10, 10], [20, 25, 30, 30]]
    assert resized([2, 4]).dtype == np.float32
    assert resized([3, 2], 0, True).tolist() == [[0, 10], [10, 20], [20, 30]]
    assert resized([1, 1]).tolist() == [[0]]
    nearest = resized([2, 3], tf.image.ResizeMethod.NEAREST_NEIGHBOR)
    assert (nearest.tolist(), nearest.dtype) == ([[0, 0, 10], [20, 20, 30]], np.uint8)
    batch = tf.image.resize_bilinear(tf.stack([pixels, pixels]), tf.constant([4, 2]))
    assert next(tf.feed(batch)).shape == (2, 4, 2, 1)
    assert next(tf.feed(tf.image.resize_nearest_neighbor(tf.expand_dims(pixels, 0), [4, 4]))).shape == (1, 4, 4, 1)
    with pytest.raises(ValueError, match="with Pillow or OpenCV"):
        tf.image.resize_images(pixels, [2, 2], tf.image.ResizeMethod.BICUBIC)


def test_an_image_in_gray():
    """One channel, in its dtype."""
    gray = next(tf.feed(tf.image.rgb_to_grayscale(tf.constant(np.full((1, 2, 3), 100, np.uint8)))))

    assert (gray.tolist(), gray.dtype) == ([[[100], [100]]], np.uint8)
