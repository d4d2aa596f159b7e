"""What a file is that is not of the format one opens it as: told by its first bytes, with what reads it."""

from __future__ import annotations

from collections.abc import Callable

FIRST = 256
"""Bytes that tell it."""

_ARCHIVE = b"PK\x03\x04"

_FORMATS: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (lambda first: first[8:10] == b'{"', "a safetensors file: tl.load reads it"),
    (
        lambda first: first.startswith(_ARCHIVE) and b".npy" in first,
        "one of numpy's: np.load(path, allow_pickle=False) reads it, for tl.from_torch(arrays, into=model)",
    ),
    (
        lambda first: (first.startswith(_ARCHIVE) and b"/data.pkl" in first) or first[:6] == b"\x80\x02\x8a\nl\xfc",
        "one of PyTorch's: torch.load(path, weights_only=True) reads it, for tl.from_torch",
    ),
    (
        lambda first: first.startswith(b"\x89HDF\r\n\x1a\n") or (first.startswith(_ARCHIVE) and b".json" in first),
        "HDF5 or Keras': keras.models.load_model(path) reads it, for tl.from_keras(layer.get_weights(), into=model)",
    ),
    (lambda first: first[:1] == b"\x80" and first[1:2] in b"\x02\x03\x04\x05", "a pickle, which would run a program"),
    (lambda first: first[:1] == b"\x08" and first[2:3] == b"\x12", "an ONNX file: tl.import_onnx reads it"),
)


def format_of(first: bytes) -> str:
    """Return what a file is that begins so, and what reads it; "" where nothing known begins so.

    >>> format_of(b"\\x89HDF\\r\\n\\x1a\\n" + bytes(8))[:14], format_of(b"hello")
    ("HDF5 or Keras'", '')
    """
    return next((what for begins_so, what in _FORMATS if len(first) > 10 and begins_so(first)), "")
