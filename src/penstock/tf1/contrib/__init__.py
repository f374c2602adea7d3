"""`tf.contrib`: of it, the functions of `tf.contrib.training` that make batches."""

from penstock.tf1.contrib import training

__all__ = ["training"]
