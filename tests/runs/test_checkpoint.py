"""Checkpoints: exact, atomic under every interruption, verified, and refused plainly when damaged."""

from __future__ import annotations

import errno
import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sabotage import PowerCut, Sabotaged, power_cut, refuse

from plaudit.errors import InputError, ResourceError
from plaudit.runs import checkpoint, disk, tensors, tree
from plaudit.runs.checkpoint import DamagedWarning, Snapshot


def snapshot(step: int, score: float | None = None) -> Snapshot:
    torch.manual_seed(step)
    model = {"w": torch.randn(4, 3), "b": torch.full((3,), float(step))}
    state = {"count": step, "adam": {"m": torch.randn(5)}, "rng": np.arange(3, dtype=np.uint64) + step}
    return Snapshot(step, model, state, {"unit": "steps", "score": score, "policy": {"kind": "toy"}})


def same(a: Any, b: Any) -> bool:
    """Equal in type, structure and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return repr(a) == repr(b)


STATES: list[Any] = [
    {},
    {"a": 1, "b": [1, 2.5, None, True, "x"], "c": (1, (2, [3]))},
    {"a/b": torch.ones(2), "a": {"b": torch.zeros(2)}},
    {"1": torch.ones(1), 1: torch.zeros(1), 2: "two"},
    {"$": "money", "nested": {"$": {"$": 1}}},
    {"nan": float("nan"), "inf": [float("inf"), -float("inf")], "tiny": 5e-324, "minus": -0.0},
    {"big": 2**127 + 1, "pcg": np.random.default_rng(1).bit_generator.state},
    {
        "scalar": np.float64(1 / 3),
        "u": np.uint64(2**64 - 1),
        "flag": np.bool_(True),
        "empty": np.zeros((0, 3)),
    },
    {"view": torch.arange(12).reshape(3, 4).T, "array": np.arange(12.0).reshape(3, 4)[:, ::2]},
    {
        "half": torch.ones(3, dtype=torch.float16),
        "point": torch.tensor(7),
        "mask": torch.tensor([True, False]),
    },
    {"generator": torch.Generator().manual_seed(5).get_state()},
]


@pytest.mark.parametrize("state", STATES)
def test_a_state_comes_back_exactly(state: Any) -> None:
    flat, skeleton = tree.flatten(state)
    text = json.dumps(skeleton, allow_nan=False)
    again = tensors.decode(tensors.encode(flat), "memory")
    assert same(tree.unflatten(json.loads(text), again), state)


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", np.array(["text"]), {(1, 2): 3}, {None: 1}])
def test_what_a_checkpoint_cannot_hold_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match="state at env/thing"):
        tree.flatten({"env": {"thing": value}})


def test_skeleton_and_tensors_must_belong_together() -> None:
    flat, skeleton = tree.flatten({"a": torch.ones(1), "b": np.ones(1)})
    with pytest.raises(ValueError, match='"c" belongs nowhere'):
        tree.unflatten(skeleton, {**flat, "c": torch.ones(1)})
    with pytest.raises(ValueError, match='"b" is missing'):
        tree.unflatten(skeleton, {"a": torch.ones(1)})


def test_equal_tensors_give_equal_bytes_and_views_do_not_drag_their_storage() -> None:
    weights = torch.randn(1000, 10)
    one = tensors.encode({"a": weights[0], "b": weights[1], "c": weights[0]})
    two = tensors.encode({"c": weights[0].clone(), "b": weights[1].clone(), "a": weights[0].clone()})
    assert one == two and len(one) < 1000
    assert torch.equal(tensors.decode(one, "memory")["b"], weights[1])


def safetensors(header: bytes, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(**changes: Any) -> bytes:
    return json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}).encode()


FOREIGN = {
    "header of 10 GB": (safetensors(b"{}", length=10_000_000_000), "claims 10000.0 MB"),
    "header of 2^64": (safetensors(b"{}", length=2**64 - 1), "claims"),
    "too short": (b"\x00\x01", "not a safetensors file"),
    "empty": (b"", "not a safetensors file"),
    "no JSON": (safetensors(b"not json"), "not JSON"),
    "deep JSON": (safetensors(b"[" * 100_000), "not JSON"),
    "a list": (safetensors(b"[]"), "lists no tensors"),
    "tensor of 10 GB": (safetensors(entry(shape=[2_500_000_000]), b"\0" * 8), "claims 10,000,000,000 bytes"),
    "overflowing shape": (safetensors(entry(shape=[2**47] * 5), b"\0" * 8), "claims"),
    "negative shape": (safetensors(entry(shape=[-2]), b"\0" * 8), "no valid type and shape"),
    "rank 17": (safetensors(entry(shape=[1] * 17), b"\0" * 4), "no valid type and shape"),
    "unknown type": (safetensors(entry(dtype="OBJECT"), b"\0" * 8), "no valid type and shape"),
    "unhashable type": (safetensors(entry(dtype=[]), b"\0" * 8), "no valid type and shape"),
    "wrong offsets": (safetensors(entry(data_offsets=[4, 12]), b"\0" * 8), "not a valid safetensors file"),
    "bytes after the end": (safetensors(entry(), b"\0" * 12), "holds 12"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_safetensors_file_cannot_claim_more_than_it_holds(name: str, tmp_path: Path) -> None:
    data, reason = FOREIGN[name]
    (tmp_path / "model.safetensors").write_bytes(data)
    with pytest.raises(InputError, match=reason) as caught:
        tensors.read(tmp_path / "model.safetensors")
    assert "model.safetensors" in caught.value.place


def test_limits_are_kept() -> None:
    data = tensors.encode({str(i): torch.zeros(1) for i in range(20)})
    assert len(tensors.decode(data, "memory", tensors.Limits(tensors=20))) == 20
    with pytest.raises(InputError, match="over 19"):
        tensors.decode(data, "memory", tensors.Limits(tensors=19))
    with pytest.raises(InputError, match="header"):
        tensors.decode(data, "memory", tensors.Limits(header=100))


def test_a_checkpoint_comes_back_and_two_and_the_best_are_kept(tmp_path: Path) -> None:
    for step, score in enumerate([0.0, 3.0, 1.0, None, 2.0, -1.0]):
        checkpoint.save(tmp_path, snapshot(step * 100, score))
    assert [folder.name for folder in checkpoint.complete(tmp_path)] == ["000500", "000400", "000100"]
    found = checkpoint.newest(tmp_path)
    assert found is not None and found.step == 500 and found.record["policy"] == {"kind": "toy"}
    assert same(found.state, snapshot(500).state)
    assert same(dict(sorted(found.model.items())), dict(sorted(snapshot(500).model.items())))
    latest = json.loads((tmp_path / "latest.json").read_text())
    assert latest == {"checkpoint": "000500", "path": "checkpoints/000500", "step": 500}


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def damage_hash(path: Path) -> None:
    manifest = json.loads(path.read_text())
    manifest["files"]["model.safetensors"]["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))


DAMAGES = {
    "model.safetensors": (damage, "SHA-256|header|tensor"),
    "state.safetensors": (damage, "SHA-256|header|tensor"),
    "state.json": (damage, "SHA-256"),
    "manifest.json": (damage_hash, "seal"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named_and_the_one_before_is_used(name: str, tmp_path: Path) -> None:
    for step in (100, 200):
        checkpoint.save(tmp_path, snapshot(step))
    harm, reason = DAMAGES[name]
    harm(tmp_path / "checkpoints" / "000200" / name)
    with pytest.raises(InputError, match=reason) as caught:
        checkpoint.load(tmp_path / "checkpoints" / "000200")
    assert caught.value.place.endswith(f"000200/{name}")
    with pytest.warns(DamagedWarning, match="000200.*Going on from 000100"):
        found = checkpoint.newest(tmp_path)
    assert found is not None and same(found.state, snapshot(100).state)


def test_a_lost_manifest_is_said(tmp_path: Path) -> None:
    for step in (100, 200):
        checkpoint.save(tmp_path, snapshot(step))
    (tmp_path / "checkpoints/000200/manifest.json").unlink()
    with pytest.warns(DamagedWarning, match=r"000200.*no manifest\.json"):
        assert checkpoint.newest_folder(tmp_path).name == "000100"
    with pytest.raises(InputError, match="never completed"):
        checkpoint.load(tmp_path / "checkpoints/000200")
    (tmp_path / "checkpoints/000100/manifest.json").unlink()
    with pytest.raises(InputError, match=r"no manifest\.json"):
        checkpoint.newest(tmp_path)


def test_a_run_without_checkpoints_has_none(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path) is None
    with pytest.raises(InputError, match="no complete checkpoint"):
        checkpoint.newest_model(tmp_path)


def test_foreign_tensors_are_named() -> None:
    model = {"w": torch.zeros(2, 3)}
    tensors.check_match(model, {"w": torch.ones(2, 3)}, "model.safetensors")
    for other, reason in (
        ({"w": torch.zeros(3, 2)}, r"\"w\" is float32 \(2, 3\) in the file, float32 \(3, 2\)"),
        ({"w": torch.zeros(2, 3, dtype=torch.float64)}, "float64"),
        ({"v": torch.zeros(2, 3)}, "absent in the file"),
    ):
        with pytest.raises(InputError, match=reason):
            tensors.check_match(model, other, "model.safetensors")


@pytest.mark.filterwarnings("error::plaudit.runs.checkpoint.DamagedWarning")
@pytest.mark.usefixtures("quick_disk")
@pytest.mark.parametrize("mode", [{}, {"torn": True}, {"lossy": True}])
def test_power_may_fail_at_every_call_of_a_save(
    mode: dict[str, bool], tmp_path: Path, monkeypatch: Any
) -> None:
    """Two saves, so that renaming, pruning and `latest.json` are all cut short somewhere."""
    at, ended = 0, False
    while not ended:
        at += 1
        run = tmp_path / str(at)
        run.mkdir()
        checkpoint.save(run, snapshot(100, 5.0))
        sabotaged = Sabotaged(at, power_cut, **mode)
        saved = 100
        with monkeypatch.context() as patch:
            patch.setattr(disk, "os", sabotaged)
            try:
                for step in (200, 300):
                    checkpoint.save(run, snapshot(step, float(-step)))
                    saved = step
                ended = True
            except PowerCut:
                pass
        found = checkpoint.newest(run)
        assert found is not None and found.step in (saved, saved + 100)
        assert same(found.state, snapshot(found.step).state)
        checkpoint.save(run, snapshot(500))
        assert checkpoint.complete(run)[0].name == "000500"
    assert at > 40


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "disk is full.*Free at least"),
        (errno.EDQUOT, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "read-only"),
        (errno.EIO, "input/output error"),
        (errno.ENOENT, "gone"),
        (errno.ENAMETOOLONG, "refused"),
    ],
)
def test_a_failing_disk_is_said_plainly(number: int, message: str, tmp_path: Path, monkeypatch: Any) -> None:
    checkpoint.save(tmp_path, snapshot(100))
    for at in range(1, 20):
        with monkeypatch.context() as patch:
            patch.setattr(disk, "os", Sabotaged(at, refuse(number)))
            with pytest.raises(ResourceError) as caught:
                checkpoint.save(tmp_path, snapshot(200))
        assert caught.value.exit_code == 5
        found = checkpoint.newest(tmp_path)
        assert found is not None and same(found.state, snapshot(found.step).state)
    assert not list((tmp_path / "checkpoints").rglob(".*.part"))
    with monkeypatch.context() as patch, pytest.raises(ResourceError, match=message):
        sabotaged = Sabotaged(3, refuse(number))
        patch.setattr(disk, "os", sabotaged)
        disk.write_atomic(tmp_path / "file", b"x" * 1000)


def test_what_is_newer_than_the_loaded_one_is_set_aside(tmp_path: Path) -> None:
    for step in (100, 200):
        checkpoint.save(tmp_path, snapshot(step))
    checkpoint.set_aside(tmp_path, 100)
    assert sorted(os.listdir(tmp_path / "checkpoints")) == ["000100", "000200.damaged"]
    checkpoint.save(tmp_path, snapshot(200))
    checkpoint.set_aside(tmp_path, 100)
    assert sorted(os.listdir(tmp_path / "checkpoints")) == ["000100", "000200.damaged"]


def test_too_little_space_is_said(tmp_path: Path) -> None:
    disk.check_space(tmp_path, 1)
    with pytest.raises(ResourceError, match=r"needs about .* are free.*--out"):
        disk.check_space(tmp_path, 1 << 60)
