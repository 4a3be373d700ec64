"""Reading files that people name: whatever is there, reading ends."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from adapters import files
from adapters.files import LIMIT, UnreadableFile, read_text_file


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "TIMEOUT", 0.05)


def reason(file: Path, *, streams: bool = False) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read_text_file(file, streams=streams)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"text\r\n", "text\r\n"),
        (b"\xef\xbb\xbftext", "text"),
        (b"\xef\xbb\xbf\xef\xbb\xbftext", "text"),
        ("é".encode(), "é"),
        (b"", ""),
    ],
)
def test_text_is_read_without_a_byte_order_mark(tmp_path: Path, data: bytes, text: str) -> None:
    (tmp_path / "file").write_bytes(data)
    assert read_text_file(tmp_path / "file").text == text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_other_encodings_are_named(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "file").write_bytes("text é".encode(encoding))
    assert "UTF-16" in reason(tmp_path / "file")


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"te\xe9xt")
    assert reason(tmp_path / "file") == f"{tmp_path}/file: expected text in UTF-8"


def test_the_size_is_limited(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * LIMIT)
    assert len(read_text_file(tmp_path / "file").text) == LIMIT
    (tmp_path / "file").write_bytes(b"x" * (LIMIT + 1))
    assert reason(tmp_path / "file") == f"{tmp_path}/file: longer than {LIMIT} bytes"


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        kinds = {name: reason(tmp_path / name) for name in ("pipe", "socket", "/dev/zero", ".")}
    assert {kind.rpartition(" ")[2] for kind in kinds.values()} == {"pipe", "socket", "device", "directory"}


def test_a_pipe_that_somebody_writes_to_can_be_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("text",))
    writer.start()
    assert read_text_file(pipe, streams=True).text == "text"
    writer.join()


@pytest.mark.usefixtures("impatient")
def test_a_read_that_hangs_is_given_up_and_not_begun_again(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threads = threading.active_count()
    assert reason(pipe, streams=True) == "could not be read within 0.05 s"
    assert [reason(pipe, streams=True) for _ in range(3)] == ["an earlier read of it has not ended yet"] * 3
    assert threading.active_count() == threads + 1
    pipe.write_text("text")
    for thread in threading.enumerate():
        if thread.name == "read-file":
            thread.join()
    writer = threading.Thread(target=pipe.write_text, args=("text",))
    writer.start()
    assert read_text_file(pipe, streams=True).text == "text"
    writer.join()


@pytest.mark.usefixtures("impatient")
def test_a_pipe_without_an_end_is_given_up() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"text")
    assert reason(Path(f"/dev/fd/{reading}"), streams=True) == "could not be read within 0.05 s"
    os.close(writing)
    os.close(reading)


@pytest.mark.parametrize("name", ["secret", "secret/more", "secret" * 100, "a\0secret"])
def test_a_path_that_does_not_exist_is_not_quoted(tmp_path: Path, name: str) -> None:
    said = reason(tmp_path / name)
    assert said.endswith(f" in {tmp_path}")
    assert "secret" not in said


@pytest.mark.parametrize(
    ("file", "directory", "expected"),
    [
        (0o600, 0o700, (False, False, False)),
        (0o644, 0o755, (True, False, False)),
        (0o622, 0o755, (False, True, False)),
        (0o600, 0o777, (False, False, True)),
        (0o600, 0o1777, (False, False, False)),
        (0o660, 0o770, (False, False, False)),
    ],
)
def test_what_everybody_can_do_with_it_is_told(
    tmp_path: Path, file: int, directory: int, expected: tuple[bool, bool, bool]
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(file)
    tmp_path.chmod(directory)
    read = read_text_file(tmp_path / "file")
    assert (read.readable_by_everyone, read.writable_by_everyone, read.replaceable_by_everyone) == expected
