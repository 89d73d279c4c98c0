"""Holds back every packet that an iptables rule hands to queue `sys.argv[1]`, for `sys.argv[2]` milliseconds, in order.

For kernels without netem. A line on stdout says that the queue is held; it ends with its standard input. Packets that are
held then are lost, as those of a line that is cut. The protocol is nfnetlink_queue's (linux/netfilter/nfnetlink_queue.h).
"""

from __future__ import annotations

import os
import select
import socket
import struct
import sys
import time
from collections import deque

NETLINK_NETFILTER = 12
SUBSYSTEM = 3 << 8
PACKET, CONFIG, VERDICT_BATCH = SUBSYSTEM | 0, SUBSYSTEM | 2, SUBSYSTEM | 3
BIND, COPY_META, ACCEPT = 1, 1, 1
CFG_COMMAND, CFG_PARAMS, CFG_LENGTH = 1, 2, 3
PACKET_HEADER, VERDICT_HEADER = 1, 2
REQUEST, ACKNOWLEDGE = 1, 4
HELD = 100_000
"""Packets at once: what a fast sender has on its way."""


def attribute(kind: int, value: bytes) -> bytes:
    whole = struct.pack("=HH", 4 + len(value), kind) + value
    return whole + b"\0" * (-len(whole) % 4)


def message(kind: int, queue: int, attributes: bytes, flags: int = REQUEST) -> bytes:
    body = struct.pack("=BB", socket.AF_UNSPEC, 0) + struct.pack(">H", queue) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body


def bound(queue: int) -> socket.socket:
    line = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    line.bind((0, 0))
    for attributes in (
        attribute(CFG_COMMAND, struct.pack(">BxH", BIND, 0)),
        attribute(CFG_PARAMS, struct.pack(">IB", 0, COPY_META)),
        attribute(CFG_LENGTH, struct.pack(">I", HELD)),
    ):
        line.send(message(CONFIG, queue, attributes, REQUEST | ACKNOWLEDGE))
        answer = line.recv(65536)
        (error,) = struct.unpack_from("=i", answer, 16)
        if error:
            raise OSError(-error, os.strerror(-error))
    return line


def packets(data: bytes) -> list[int]:
    found, at = [], 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        if length < 16:
            break
        if kind == PACKET:
            found.append(packet(data[at + 20 : at + length]))
        at += (length + 3) & ~3
    return found


def packet(attributes: bytes) -> int:
    at = 0
    while at + 4 <= len(attributes):
        length, kind = struct.unpack_from("=HH", attributes, at)
        if kind & 0x3FFF == PACKET_HEADER:
            return int(struct.unpack_from(">I", attributes, at + 4)[0])
        at += (length + 3) & ~3
    raise ValueError("a packet without a header")


def main(queue: int, seconds: float) -> None:
    line = bound(queue)
    print("held", flush=True)
    waiting: deque[tuple[float, int]] = deque()
    while True:
        patience = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        ready, _, _ = select.select([line, sys.stdin], [], [], patience)
        if sys.stdin in ready:
            return
        if line in ready:
            try:
                due = time.monotonic() + seconds
                waiting.extend((due, found) for found in packets(line.recv(1 << 20)))
            except OSError:
                pass  # ENOBUFS: packets were lost, as on any line.
        last = None
        while waiting and waiting[0][0] <= time.monotonic():
            last = waiting.popleft()[1]
        if last is not None:
            # And all that were queued before it.
            line.send(message(VERDICT_BATCH, queue, attribute(VERDICT_HEADER, struct.pack(">II", ACCEPT, last))))


main(int(sys.argv[1]), int(sys.argv[2]) / 1000)
