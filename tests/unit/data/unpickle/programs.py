"""Pickle programs that a careless unpickler answers with a hang, gigabytes or a traceback."""

import pickle
import struct

import numpy as np

MERSENNE = (1 << 61) - 1  # Python's hash of an integer is its remainder
_ARRAY = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
_DTYPE = b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R(K\x03X\x01\x00\x00\x00|NNNJ"
_DTYPE += b"\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


def colliding_keys(count: int) -> bytes:
    """A dict whose integer keys all have the hash 0."""
    keys = (MERSENNE * i for i in range(1, count))
    longs = (key.to_bytes(10, "little") for key in keys)
    return b"\x80\x02}(" + b"".join(b"\x8a\x0a" + long + b"N" for long in longs) + b"u."


def array_of(shape: bytes, content: bytes) -> bytes:
    """A pickled array of bytes whose shape is built by a program."""
    return b"\x80\x03" + _ARRAY + b"(K\x01" + shape + _DTYPE + b"\x89" + content + b"tb."


PROGRAMS: dict[str, bytes] = {
    "tuple doubled by DUP as a key": b"\x80\x02})" + b"2\x86" * 60 + b"Ns.",
    "tuple doubled by the memo as a key": b"\x80\x02}N\x85" + b"q\x00h\x00\x86" * 60 + b"Ns.",
    "frozenset doubled": b"\x80\x04(\x91" + b"\x94h\x00(h\x000\x91" * 60 + b".",
    "frozensets inside each other": b"\x80\x04(\x91" + b"q\x00(h\x00h\x00\x86\x91" * 60 + b".",
    "set of doubled tuples": b"\x80\x04\x8f()" + b"2\x86" * 60 + b"\x90.",
    "colliding keys": colliding_keys(200_000),
    "keys that are floats": b"\x80\x02}(" + b"G\x7f\xf8" + bytes(6) + b"Nu.",
    "key that is a list": b"\x80\x02}]Ns.",
    "key of 3000 bytes": b"\x80\x02}\x8b" + struct.pack("<i", 3000) + b"\x01" * 3000 + b"Ns.",
    "key twice": b"\x80\x02}(K\x00NK\x00Nu.",
    "odd number of items": b"\x80\x02}(K\x00Nu(K\x00u.",
    "memo of 4 GB": b"\x80\x02}r\x00\x00\x00\x10.",
    "memo index of 5000 digits": b"}p" + b"9" * 5000 + b"\n.",
    "memo index below 0": b"}p-1\n.",
    "memo index never stored": b"\x80\x02h\x05.",
    "frame longer than the file": b"\x80\x04\x95" + struct.pack("<Q", 1 << 40) + b"N.",
    "bytes longer than the file": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"N.",
    "bytearray longer than the file": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b"N.",
    "text longer than the file": b"\x80\x04\x8d" + struct.pack("<Q", (1 << 63) - 1) + b"N.",
    "text of 4 GB": b"\x80\x02X\xff\xff\xff\xff.",
    "string of size -1": b"\x80\x02T\xff\xff\xff\xff.",
    "integer of 2 GB": b"\x80\x02\x8b\xff\xff\xff\x7f.",
    "integer of size -1": b"\x80\x02\x8b\xff\xff\xff\xff.",
    "integer of 5000 digits": b"I" + b"7" * 5000 + b"\n.",
    "long integer of 5000 digits": b"L" + b"7" * 5000 + b"L\n.",
    "float of 1e6 digits": b"F" + b"7" * 1_000_000 + b"\n.",
    "no STOP": b"\x80\x02N",
    "STOP on an empty stack": b"\x80\x02.",
    "line without an end": b"Vtext",
    "million marks": b"(" * 1_000_000 + b".",
    "million lists": b"\x80\x02" + b"]" * 1_000_000 + b".",
    "million lists inside each other": b"\x80\x02" + b"]" * 500_000 + b"a" * 499_999 + b".",
    "million tuples inside each other": b"\x80\x02N" + b"\x85" * 1_000_000 + b".",
    "list in itself many times": b"\x80\x02]q\x00(" + b"h\x00" * 700_000 + b"e.",
    "text to bytes, again and again": b"\x80\x02X\x10\x27\x00\x00" + b"a" * 10_000 + b"q\x00"
    b"X\x06\x00\x00\x00latin1q\x01c_codecs\nencode\nq\x02"
    + b"h\x02h\x00h\x01\x86R" * 90_000
    + b".",
    "call of bytes": b"c__builtin__\nbytes\n\x8a\x05\x00\x00\x00\x00\x01\x85R.",
    "call of a list": b"\x80\x02])R.",
    "call with a list": b"\x80\x02cnumpy\ndtype\n]R.",
    "BUILD of a function": b"c_codecs\nencode\n}b.",
    "BUILD with a dict": b"cnumpy\nndarray\n)R}b.",
    "attributes by BUILD": b"cnumpy\nndarray\nN}X\x01\x00\x00\x00aK\x01s\x86b.",
    "persistent id": b"Pid\n.",
    "binary persistent id": b"\x80\x02NQ.",
    "extension": b"\x80\x02\x82\x01.",
    "instance": b"(inumpy\nndarray\n.",
    "object": b"(cnumpy\nndarray\no.",
    "new object": b"cnumpy\nndarray\n)\x81.",
    "buffer outside the file": b"\x80\x05\x97.",
    "function named by a number": b"\x80\x04K\x01K\x02\x93.",
    "module with a long name": b"c" + b"m" * 1_000_000 + b"\nname\n.",
    "dtype that is a list": b"cnumpy\ndtype\n]\x85R.",
    "dtype with a long code": b"cnumpy\ndtype\nX\x40\x42\x0f\x00" + b"u" * 1_000_000 + b"\x85R.",
    "array of objects": pickle.dumps(np.array([None, {}], dtype=object)),
    "array of records": pickle.dumps(np.zeros(2, dtype=[("a", "i4")])),
    "array of times": pickle.dumps(np.zeros(2, dtype="M8[s]")),
    "array without its state's end": pickle.dumps(np.arange(5))[:-4],
    "array of a negative size": array_of(b"J\xff\xff\xff\xff\x85", b"C\x01a"),
    "array larger than its bytes": array_of(b"J\xff\xff\xff\x7f\x85", b"C\x01a"),
    "array of 0 x huge": array_of(b"K\x00" + b"\x8a\x09" + b"\xff" * 8 + b"\x00\x86", b"C\x00"),
    "array of 1e5 dimensions": array_of(b"(" + b"K\x01" * 100_000 + b"t", b"C\x01a"),
    "array whose size is a float": array_of(b"G" + struct.pack(">d", 1.0) + b"\x85", b"C\x01a"),
    "NumPy text beyond Unicode": pickle.dumps(np.str_("a")).replace(b"a\0\0\0", b"\xff" * 4),
    "array over text": array_of(b"K\x01\x85", b"X\x01\x00\x00\x00a"),
}
