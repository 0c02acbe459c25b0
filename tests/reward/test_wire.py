"""Frames keep every byte, dtype and shape, whatever their size."""

import socket
import struct
from threading import Thread

import numpy as np
import pytest

from plaudit.errors import PlauditError
from plaudit.reward.wire import Frame, Stream, pack, unpack


@pytest.fixture
def pair():
    socks = socket.socketpair()
    yield [Stream(sock) for sock in socks]
    for sock in socks:
        sock.close()


def through(pair, frame):
    sender = Thread(target=pair[0].send, args=(frame,))
    sender.start()
    received = pair[1].receive()
    sender.join()
    return received


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int16).reshape(2, 3),
        np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1),
        np.zeros((0, 5), np.float32),
        np.array(3, np.uint8),
        np.array([True, False]),
        np.array(["maze", "é"]),
        np.random.default_rng(0).integers(0, 255, (300, 40, 40), dtype=np.uint8),
    ],
)
def test_arrays_come_through(pair, array):
    frame = Frame({"note": "é"}, [array, np.array([np.nan, 1.0])])
    received = through(pair, frame)
    assert received.head == frame.head
    for got, sent in zip(received.arrays, frame.arrays, strict=True):
        assert got.dtype == sent.dtype and got.shape == sent.shape and got.tobytes() == sent.tobytes()
        assert got.flags.writeable and got.ctypes.data % got.dtype.alignment == 0


def test_a_frame_does_not_change_when_the_next_one_comes(pair):
    first = through(pair, Frame({}, [np.ones(8)])).arrays[0]
    through(pair, Frame({}, [np.zeros(8)]))
    assert first.tolist() == [1] * 8


def test_a_claim_of_a_terabyte_and_a_cut_stream_are_no_frames(pair):
    pair[0].sock.sendall(struct.pack("<QQ", 10, 1 << 40))
    with pytest.raises(EOFError, match="not a frame"):
        pair[1].receive()
    pair[0].sock.sendall(struct.pack("<QQ", 10, 0) + b"[{")
    pair[0].sock.close()
    with pytest.raises(EOFError, match="closed the stream"):
        pair[1].receive()


def test_packing_says_what_it_holds():
    arrays = []
    held = [pack(value, arrays) for value in (np.eye(2), [np.ones(1), np.zeros(2)], ["a", {"b": 1}], ())]
    assert len(arrays) == 3
    back = [unpack(one, arrays) for one in held]
    assert back[0].tolist() == [[1, 0], [0, 1]] and [a.tolist() for a in back[1]] == [[1], [0, 0]]
    assert back[2:] == [["a", {"b": 1}], []]
    with pytest.raises(PlauditError, match="object"):
        pack(np.array([{}]), arrays)
