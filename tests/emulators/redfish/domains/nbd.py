# Copyright (c) 2026, The hearth.datacenter authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A read-only NBD server on a unix socket: how QEMU reads a medium that a BMC holds.

Fixed newstyle handshake, simple replies: what QEMU needs of
https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md, and nothing else.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import threading
from pathlib import Path
from typing import Protocol

from tests.emulators.redfish.domains.remote_image import ReadFailed

EXPORT = "medium"

_MAGIC, _OPTION_MAGIC, _REPLY_MAGIC = 0x4E42444D41474943, 0x49484156454F5054, 0x3E889045565A9
_FIXED_NEWSTYLE, _NO_ZEROES = 1, 2
_OPT_EXPORT_NAME, _OPT_ABORT, _OPT_INFO, _OPT_GO = 1, 2, 6, 7
_REP_ACK, _REP_INFO, _REP_UNSUPPORTED, _REP_UNKNOWN = 1, 3, 0x80000001, 0x80000006
_HAS_FLAGS, _READ_ONLY = 1, 2
_REQUEST, _SIMPLE = 0x25609513, 0x67446698
_READ, _DISCONNECT = 0, 2
_SECTOR = 512
_MOST = 32 * 1024 * 1024  # of one request


class Image(Protocol):
    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes:
        """Raises ReadFailed."""


class _Gone(Exception):
    """The peer has closed, or says what no client says."""


class NbdServer:
    """Serves from threads of its own, from construction to close()."""

    def __init__(self, image: Image, path: Path) -> None:
        """Raises OSError where there can be no socket."""
        self._image = image
        # QEMU counts in sectors, and waits for ever at the end of an export that is not whole (7.2, qemu-img convert).
        self._size = -(-image.size // _SECTOR) * _SECTOR
        self.path = path
        self._peers: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listener.bind(str(path))
            path.chmod(0o600)  # whoever may read it is let in by give_to
            self._listener.listen(8)
        except BaseException:
            self._listener.close()
            raise
        self._thread = threading.Thread(target=self._accept, name=f"nbd {path.name}", daemon=True)
        self._thread.start()

    def give_to(self, uid: int, gid: int) -> None:
        """QEMU's user may connect, and nobody else: a medium may hold a node's one-boot key."""
        os.chown(self.path, uid, gid)

    def close(self) -> None:
        """Drops who is connected. May be called twice."""
        with self._lock:
            self._closed = True
            peers = list(self._peers)
        for sock in (self._listener, *peers):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                peer, _dummy = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._closed:
                    peer.close()
                    return
                self._peers.add(peer)
            threading.Thread(target=self._serve, args=(peer,), name="nbd client", daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        try:
            if self._shake_hands(peer):
                self._transmit(peer)
        except (_Gone, OSError):
            pass  # QEMU has closed the medium, or has ended
        finally:
            with self._lock:
                self._peers.discard(peer)
            peer.close()

    def _shake_hands(self, peer: socket.socket) -> bool:
        """True: the transmission phase follows."""
        peer.sendall(struct.pack(">QQH", _MAGIC, _OPTION_MAGIC, _FIXED_NEWSTYLE | _NO_ZEROES))
        (flags,) = struct.unpack(">I", _exactly(peer, 4))
        transmission = struct.pack(">QH", self._size, _HAS_FLAGS | _READ_ONLY)
        while True:
            magic, option, length = struct.unpack(">QII", _exactly(peer, 16))
            if magic != _OPTION_MAGIC or length > 65536:
                raise _Gone
            data = _exactly(peer, length)
            if option == _OPT_EXPORT_NAME:
                if data.decode(errors="replace") not in ("", EXPORT):
                    raise _Gone  # there is no other way to say no
                peer.sendall(transmission + (b"" if flags & _NO_ZEROES else bytes(124)))
                return True
            if option == _OPT_ABORT:
                _reply(peer, option, _REP_ACK)
                return False
            if option not in (_OPT_INFO, _OPT_GO):
                _reply(peer, option, _REP_UNSUPPORTED)
                continue
            (name_length,) = struct.unpack_from(">I", data)
            if data[4 : 4 + name_length].decode(errors="replace") not in ("", EXPORT):
                _reply(peer, option, _REP_UNKNOWN)
                continue
            _reply(peer, option, _REP_INFO, struct.pack(">H", 0) + transmission)
            _reply(peer, option, _REP_ACK)
            if option == _OPT_GO:
                return True

    def _transmit(self, peer: socket.socket) -> None:
        while True:
            magic, _flags, kind, handle, offset, length = struct.unpack(">IHHQQI", _exactly(peer, 28))
            if magic != _REQUEST or kind == _DISCONNECT:
                return
            if kind != _READ:  # among them writes, whose data would follow
                peer.sendall(struct.pack(">IIQ", _SIMPLE, errno.EPERM, handle))
                return
            if length > _MOST or offset + length > self._size:
                peer.sendall(struct.pack(">IIQ", _SIMPLE, errno.EINVAL, handle))
                continue
            try:
                data = self._image.read(offset, length).ljust(length, b"\0")
            except ReadFailed:
                peer.sendall(struct.pack(">IIQ", _SIMPLE, errno.EIO, handle))
                continue
            peer.sendall(struct.pack(">IIQ", _SIMPLE, 0, handle) + data)


def _reply(peer: socket.socket, option: int, kind: int, data: bytes = b"") -> None:
    peer.sendall(struct.pack(">QIII", _REPLY_MAGIC, option, kind, len(data)) + data)


def _exactly(peer: socket.socket, length: int) -> bytes:
    parts = []
    while length:
        part = peer.recv(min(length, 65536))
        if not part:
            raise _Gone
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
