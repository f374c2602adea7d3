"""`tf.image`: what input scripts do with a picture, float or uint8[height, width, channels], before it is batched."""

from __future__ import annotations

from typing import Any

import numpy as np

from penstock.errors import PipelineError, mismatch
from penstock.tf1.coding import decode_image
from penstock.tf1.handles import Handle, apply, as_handle, dtype_of
from penstock.tf1.randomness import drawn

__all__ = [
    "adjust_brightness",
    "adjust_contrast",
    "central_crop",
    "convert_image_dtype",
    "ResizeMethod",
    "crop_to_bounding_box",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "flip_left_right",
    "flip_up_down",
    "per_image_standardization",
    "per_image_whitening",
    "random_brightness",
    "random_contrast",
    "random_flip_left_right",
    "random_flip_up_down",
    "resize_bilinear",
    "resize_image_with_crop_or_pad",
    "resize_images",
    "resize_nearest_neighbor",
    "rgb_to_grayscale",
]


def decode_jpeg(contents: Any, channels: int = 0, **_: Any) -> Handle:
    """The pixels of a JPEG file's bytes: uint8[height, width, channels]."""
    made = decode_image(contents, channels)
    made.static = (None, None, channels or None)
    return made


def decode_png(contents: Any, channels: int = 0, dtype: Any = np.uint8, name: str | None = None) -> Handle:
    """The pixels of a PNG file's bytes: uint8[height, width, channels]."""
    made = decode_image(contents, channels)
    made.static = (None, None, channels or None)
    return made


def _kept(name: str, fn: Any, image: Any) -> Handle:
    return apply(name, fn, image, dtype=getattr(image, "dtype", None))


def _alike(name: str, fn: Any, image: Any) -> Handle:
    """A handle of an image of the same size."""
    return apply(name, fn, image, dtype=getattr(image, "dtype", None), shape=_shape(image))


def _shape(image: Any) -> Any:
    """What is known of the shape of an image."""
    return image.shape.sizes if isinstance(image, Handle) else None


def flip_left_right(image: Any) -> Handle:
    """The mirror image."""
    return _alike("flip_left_right", lambda pixels: pixels[:, ::-1], image)


def flip_up_down(image: Any) -> Handle:
    """The image upside down."""
    return _alike("flip_up_down", lambda pixels: pixels[::-1], image)


def random_flip_left_right(image: Any, seed: int | None = None) -> Handle:
    """The image, or with probability 1/2 its mirror image."""

    def flip(generator: np.random.Generator, pixels: Any) -> Any:
        return pixels[:, ::-1] if generator.random() < 0.5 else pixels

    return drawn(
        "random_flip_left_right", flip, image, seed=seed, dtype=getattr(image, "dtype", None), shape=_shape(image)
    )


def random_flip_up_down(image: Any, seed: int | None = None) -> Handle:
    """The image, or with probability 1/2 the image upside down."""

    def flip(generator: np.random.Generator, pixels: Any) -> Any:
        return pixels[::-1] if generator.random() < 0.5 else pixels

    return drawn(
        "random_flip_up_down", flip, image, seed=seed, dtype=getattr(image, "dtype", None), shape=_shape(image)
    )


def adjust_brightness(image: Any, delta: float) -> Handle:
    """The image with a number added to each pixel; of a uint8 image in steps of 1/255."""
    return _alike("adjust_brightness", lambda pixels: _shifted(pixels, delta), image)


def random_brightness(image: Any, max_delta: float, seed: int | None = None) -> Handle:
    """The image with one random number from `-max_delta` to `max_delta` added to all pixels."""

    def shift(generator: np.random.Generator, pixels: Any) -> Any:
        return _shifted(pixels, generator.uniform(-max_delta, max_delta))

    return drawn("random_brightness", shift, image, seed=seed, dtype=getattr(image, "dtype", None), shape=_shape(image))


def adjust_contrast(image: Any, contrast_factor: float) -> Handle:
    """The image with each channel's distance from its mean multiplied."""
    return _alike("adjust_contrast", lambda pixels: _spread(pixels, contrast_factor), image)


def random_contrast(image: Any, lower: float, upper: float, seed: int | None = None) -> Handle:
    """The image with each channel's distance from its mean multiplied by a random factor."""

    def spread(generator: np.random.Generator, pixels: Any) -> Any:
        return _spread(pixels, generator.uniform(lower, upper))

    return drawn("random_contrast", spread, image, seed=seed, dtype=getattr(image, "dtype", None), shape=_shape(image))


def _shifted(pixels: Any, delta: float) -> Any:
    return _back(_unit(pixels) + np.float32(delta), pixels.dtype)


def _spread(pixels: Any, factor: float) -> Any:
    numbers = _unit(pixels)
    mean = numbers.mean(axis=(0, 1), keepdims=True)
    return _back((numbers - mean) * np.float32(factor) + mean, pixels.dtype)


def _unit(pixels: Any) -> Any:
    """Pixels as float32, those that are integers as 0 to 1."""
    numbers = pixels.astype(np.float32)
    return numbers / np.float32(np.iinfo(pixels.dtype).max) if pixels.dtype.kind in "iu" else numbers


def _back(numbers: Any, dtype: Any) -> Any:
    """Float32 pixels in a dtype; of integers each stands for as much of 0 to 1, as TF1 cut it."""
    if dtype.kind not in "iu":
        return numbers.astype(dtype)
    most = np.iinfo(dtype).max
    return np.clip(numbers * np.float32(most + 0.5), 0, most).astype(dtype)


def per_image_standardization(image: Any) -> Handle:
    """The image with mean 0 and deviation 1, as float32; one that is the same everywhere stays finite, as in TF1."""

    def standard(pixels: Any) -> Any:
        numbers = pixels.astype(np.float32)
        least = np.float32(1 / np.sqrt(numbers.size))
        return (numbers - numbers.mean()) / np.maximum(numbers.std(), least)

    return apply("per_image_standardization", standard, image, dtype=np.dtype(np.float32), shape=_shape(image))


per_image_whitening = per_image_standardization


def convert_image_dtype(image: Any, dtype: Any, saturate: bool = False, name: str | None = None) -> Handle:
    """The image in another dtype; integers stand for 0 to 1, in steps of their largest."""
    to = dtype_of(dtype)

    def convert(pixels: Any) -> Any:
        return pixels if pixels.dtype == to else _back(_unit(pixels), to)

    return apply("convert_image_dtype", convert, image, dtype=to, shape=_shape(image))


def crop_to_bounding_box(
    image: Any, offset_height: int, offset_width: int, target_height: int, target_width: int
) -> Handle:
    """A piece of the image."""
    rows, columns = (
        slice(offset_height, offset_height + target_height),
        slice(offset_width, offset_width + target_width),
    )
    return _kept("crop_to_bounding_box", lambda pixels: pixels[rows, columns], image)


def central_crop(image: Any, central_fraction: float) -> Handle:
    """The middle of the image, so much of its height and width."""

    def crop(pixels: Any) -> Any:
        cuts = [int((size - size * central_fraction) / 2) for size in pixels.shape[:2]]
        return pixels[tuple(slice(cut, size - cut) for cut, size in zip(cuts, pixels.shape, strict=False))]

    return _kept("central_crop", crop, image)


def resize_image_with_crop_or_pad(image: Any, target_height: int, target_width: int) -> Handle:
    """The middle of the image, or the image with zeros around it, of the size asked for."""

    def resize(pixels: Any) -> Any:
        out = np.zeros((target_height, target_width, *pixels.shape[2:]), pixels.dtype)
        here, there = [], []
        for have, want in zip(pixels.shape[:2], (target_height, target_width), strict=True):
            size = min(have, want)
            there.append(slice((have - size) // 2, (have - size) // 2 + size))
            here.append(slice((want - size) // 2, (want - size) // 2 + size))
        out[tuple(here)] = pixels[tuple(there)]
        return out

    return apply(
        "resize_image_with_crop_or_pad",
        resize,
        image,
        dtype=getattr(image, "dtype", None),
        shape=(target_height, target_width, None),
    )


class ResizeMethod:
    """How `resize_images` makes pixels of pixels."""

    BILINEAR = 0
    NEAREST_NEIGHBOR = 1
    BICUBIC = 2
    AREA = 3


def resize_images(
    images: Any,
    size: Any,
    method: int = ResizeMethod.BILINEAR,
    align_corners: bool = False,
    preserve_aspect_ratio: bool = False,
) -> Handle:
    """The image, or batch of images, in another size.

    Args:
      images: a handle of `[height, width, channels]`, or with a leading dimension.
      size: height and width.
      method: `ResizeMethod.BILINEAR`, float32 then, or `NEAREST_NEIGHBOR`, in its dtype.
      align_corners: whether the pixels in the corners stay where they are.
      preserve_aspect_ratio: only False.

    Raises:
      ValueError: another method.

    Source: TF1 `tf.image.resize_images`, whose pixels were points at their upper left corners.
    """
    if method not in (ResizeMethod.BILINEAR, ResizeMethod.NEAREST_NEIGHBOR) or preserve_aspect_ratio:
        do = "put it into `tf1.py_func`, with Pillow or OpenCV"
        want = "`ResizeMethod.BILINEAR` or `NEAREST_NEIGHBOR`, and `preserve_aspect_ratio=False`"
        raise PipelineError(mismatch(want, f"`{method}`, `{preserve_aspect_ratio}`", at="resize_images", do=do))
    nearest = method == ResizeMethod.NEAREST_NEIGHBOR

    def resize(pixels: Any, size: Any) -> Any:
        out = pixels if nearest else pixels.astype(np.float32)
        for axis, want in zip((-3, -2), size, strict=True):
            out = _stretched(out, int(want), axis, nearest=nearest, aligned=align_corners)
        return out

    made = apply("resize_images", resize, as_handle(images), as_handle(size))
    made.dtype = getattr(images, "dtype", None) if nearest else np.dtype(np.float32)
    known = _shape(images)
    if known is not None and isinstance(size, (list, tuple)):
        made.static = (*known[:-3], *map(int, size), known[-1])
    return made


def resize_bilinear(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Handle:
    """The images in another size, as float32."""
    return resize_images(images, size, ResizeMethod.BILINEAR, align_corners)


def resize_nearest_neighbor(images: Any, size: Any, align_corners: bool = False, name: str | None = None) -> Handle:
    """The images in another size, each pixel one that there was."""
    return resize_images(images, size, ResizeMethod.NEAREST_NEIGHBOR, align_corners)


def _stretched(pixels: Any, want: int, axis: int, *, nearest: bool, aligned: bool) -> Any:
    """Pixels with another number of them along one dimension."""
    have = pixels.shape[axis]
    scale = np.float32((have - 1) / (want - 1)) if aligned and want > 1 else np.float32(have / want)
    places = np.arange(want, dtype=np.float32) * scale
    if nearest:
        return np.take(pixels, np.minimum(np.round(places) if aligned else places, have - 1).astype(int), axis)
    low = places.astype(int)
    part = (places - low).astype(np.float32).reshape([-1] + [1] * (-axis - 1))
    first, second = np.take(pixels, low, axis), np.take(pixels, np.minimum(low + 1, have - 1), axis)
    return first + (second - first) * part


def rgb_to_grayscale(images: Any, name: str | None = None) -> Handle:
    """The brightness of each pixel: one channel, in the dtype of the image."""

    def gray(pixels: Any) -> Any:
        weights = np.array([0.2989, 0.587, 0.114], np.float32)
        return _back((_unit(pixels) * weights).sum(-1, keepdims=True), pixels.dtype)

    return _kept("rgb_to_grayscale", gray, images)
