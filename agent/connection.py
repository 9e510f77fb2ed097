"""A client's connection with a deadline: whoever sends or takes bytes one by one is not waited for.

A request's head must be there within HEAD_S. Longer things have more time, but no client may be slower than SLOWEST.
"""

import io
import socket
import time
from typing import Any, BinaryIO, Final

HEAD_S: Final = 30
"""From the last answer (or the beginning) until the next request's head is there."""
BODY_S: Final = 30
SLOWEST: Final = 256 << 10
"""Bytes a second."""
CHUNK: Final = 1 << 20


class Connection(io.RawIOBase):
    """Reads and writes the socket of one client. TimeoutError when its time is over."""

    def __init__(self, client: socket.socket) -> None:
        self._socket = client
        self._until = 0.0
        self.begin_head()

    def begin_head(self) -> None:
        """The client has HEAD_S from now for a request's head."""
        self._until = time.monotonic() + HEAD_S

    def begin(self, size: int) -> None:
        """It has as long as `size` bytes take, from now, to send or take them."""
        self._until = time.monotonic() + BODY_S + size / SLOWEST

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._arm()
        return self._socket.recv_into(buffer)

    def write(self, data: Any) -> int:
        """All of it: `sendall` of a TLS socket begins its time anew with each record, so it gets pieces."""
        view = memoryview(data)
        for start in range(0, len(view), CHUNK):
            self._arm()
            self._socket.sendall(view[start : start + CHUNK])
        return len(view)

    def send_file(self, file: BinaryIO, size: int) -> int:
        """The first `size` bytes of the file; how many were sent (fewer where it was cut meanwhile)."""
        sent = 0
        while sent < size:
            self._arm()
            file.seek(sent)  # TLS reads on from where the file stands
            piece = self._socket.sendfile(file, sent, min(CHUNK, size - sent))
            if not piece:
                break
            sent += piece
        return sent

    def _arm(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the client is too slow")
        self._socket.settimeout(left)
