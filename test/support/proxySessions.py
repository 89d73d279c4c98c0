"""HAProxy before two servers that this process plays, with the agent's thread at work in it, inside a container.

Standard input: JSON with the agent's `sources`, HAProxy's `files` and `command`. Standard output: JSON with what became of
the clients, in seconds (null: nothing for as long as was waited).
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

WRITE_PORT, LONGEST = 5000, 12.0
given = json.load(sys.stdin)
for folder, contents in {"/tmp/agent": given["sources"], "/etc/understudy": given["files"], "/run/understudy": {}}.items():
    os.makedirs(folder, exist_ok=True)
    for name, text in contents.items():
        with open(f"{folder}/{name}", "w", encoding="utf8") as file:
            file.write(text)
sys.path.insert(0, "/tmp/agent")
import haproxy  # noqa: E402
import lostsessions  # noqa: E402


def serve(port, handle):
    server = socket.create_server(("127.0.0.1", port))

    def accept():
        while True:
            threading.Thread(target=handle, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def echo(connection):
    try:
        while data := connection.recv(100):
            connection.sendall(data)
    except OSError:
        pass


STATUS = {"a": 200, "b": 503}


def checked(name):
    """As Patroni: 200 is whoever takes writes; None says nothing until it is another."""

    def answer(connection):
        connection.recv(4096)
        while (status := STATUS[name]) is None:
            time.sleep(0.02)
        try:
            connection.sendall(f"HTTP/1.0 {status} x\r\n\r\n".encode())
        except OSError:
            pass
        connection.close()

    return answer


def until(done, what):
    deadline = time.monotonic() + LONGEST
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {LONGEST:g} s")
        time.sleep(0.02)


def row_of(name):
    rows = haproxy.current() or []
    return next((row for row in rows if row["pxname"] == haproxy.WRITE and row["svname"] == name), None)


def await_status(name, status):
    until(lambda: (row := row_of(name)) is not None and row["status"].startswith(status), f"{name} is {status}")


def client():
    connection = socket.create_connection(("127.0.0.1", WRITE_PORT))
    connection.settimeout(LONGEST)
    connection.sendall(b"?")
    return connection


def works(connection):
    connection.sendall(b"!")
    try:
        return connection.recv(100) == b"!"
    except OSError:
        return False


def served():
    connection = client()
    assert connection.recv(100) == b"?"
    return connection


def ended_after(connections, begun):
    """For each: how long after `begun` it was closed."""
    found = []
    for connection in connections:
        try:
            while connection.recv(100):
                pass
            found.append(round(time.monotonic() - begun, 2))
        except TimeoutError:
            found.append(None)
        except OSError:
            found.append(round(time.monotonic() - begun, 2))
    return found


def reload(master):
    haproxy.await_master(LONGEST)
    before = haproxy.worker()
    master.send_signal(signal.SIGUSR2)
    haproxy.await_worker(before, LONGEST)


serve(6001, echo)
serve(7001, checked("a"))
serve(7002, checked("b"))
# Its queue is full, so that whoever is connected to it waits as for a host that is gone.
deaf = socket.socket()
deaf.bind(("127.0.0.1", 6002))
deaf.listen(0)
filling = [socket.socket() for _ in range(3)]
for each in filling:
    each.setblocking(False)
    each.connect_ex(("127.0.0.1", 6002))

master = subprocess.Popen(given["command"], stdout=sys.stderr)
lostsessions.ensure()
try:
    await_status("a", "UP")
    left = [served(), served()]
    haproxy.await_master(LONGEST)
    STATUS["a"] = None  # so that the first check of the new worker fails by its timeout, of a server that is well
    reload(master)
    time.sleep(2.5)
    STATUS["a"] = 200
    await_status("a", "UP")
    left.append(served())
    reload(master)
    await_status("a", "UP")
    fresh = [served()]
    time.sleep(1)
    report = {"workersLeft": len(haproxy.old_workers()), "stillServed": [works(each) for each in left + fresh]}

    STATUS["a"], begun = 503, time.monotonic()
    report["left"], report["fresh"] = ended_after(left, begun), ended_after(fresh, begun)
    until(lambda: haproxy.old_workers() == [], "the old workers end")

    STATUS["b"] = 200
    await_status("b", "UP")
    begun = time.monotonic()
    connecting = client()
    time.sleep(0.2)
    STATUS["b"] = 503
    await_status("b", "DOWN")
    report["connecting"] = ended_after([connecting], begun)[0]
    report["streamsLeft"] = haproxy.command("show sess").count("fe=write")
    print(json.dumps(report))
finally:
    master.terminate()
    master.wait(10)
