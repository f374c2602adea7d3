"""`tf.compat`: texts as bytes and the other way round; `tf.compat.v1` is `penstock.tf1` itself."""

from types import ModuleType

__all__ = ["as_bytes", "as_str", "as_text", "v1"]

v1: ModuleType


def as_bytes(bytes_or_text: bytes | str, encoding: str = "utf-8") -> bytes:
    """Bytes as they are, text encoded."""
    return bytes_or_text.encode(encoding) if isinstance(bytes_or_text, str) else bytes_or_text


def as_text(bytes_or_text: bytes | str, encoding: str = "utf-8") -> str:
    """Text as it is, bytes decoded."""
    return bytes_or_text.decode(encoding) if isinstance(bytes_or_text, bytes) else bytes_or_text


as_str = as_text
