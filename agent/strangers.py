"""Clients that have not shown the token yet: where there is no room for one more, the oldest of them makes it."""

import contextlib
import os
import socket
import threading
from collections.abc import Hashable


class Strangers:
    """Safe to use from several threads. Clients are named by their address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Hashable, socket.socket] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, client: Hashable, connection: socket.socket) -> None:
        """From now on it may be let go. TLS takes the socket over, so we have a descriptor of our own."""
        with contextlib.suppress(OSError):
            ours = socket.socket(fileno=os.dup(connection.fileno()))
            with self._lock:
                self._waiting[client] = ours

    def recognize(self, client: Hashable) -> None:
        """It has shown the token, or is gone; may be called twice."""
        with self._lock:
            connection = self._waiting.pop(client, None)
        if connection is not None:
            connection.close()

    def let_go(self) -> bool:
        """End the oldest one's connection; False where there is none. Its thread ends a moment later."""
        with self._lock:
            oldest = next(iter(self._waiting), None)
            connection = self._waiting.pop(oldest, None)
        if connection is None:
            return False
        with contextlib.suppress(OSError), connection:
            connection.shutdown(socket.SHUT_RDWR)
        return True
