"""What the uplinks carry: each rack sends to the next one, all at once, so that every uplink is busy both ways."""
import os
import socket
import subprocess
import sys
import time

SECONDS = 3.0
PIECE = 256 << 10
PORT = 5301


def receive() -> None:
    with socket.create_server(("", PORT)) as listener:
        print("ready", flush=True)
        connection, _ = listener.accept()
        with connection:
            space = bytearray(PIECE)
            connection.recv_into(space)  # the first burst passes a full token bucket: not counted
            start, total = time.monotonic(), 0
            while got := connection.recv_into(space):
                total += got
        print(total / (time.monotonic() - start))


def send(address: str, seconds: float) -> None:
    with socket.create_connection((address, PORT)) as connection:
        data = bytes(PIECE)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connection.sendall(data)


def measure(layout, network, seconds: float = SECONDS) -> dict:
    """Bytes of payload per second into each rack, and their median."""
    racks = range(len(layout.nodes))
    program = [sys.executable, __file__]
    receivers = [network.start_in(f"r{rack}n0", [*program, "receive"], stdout=subprocess.PIPE, text=True)
                 for rack in racks]
    for each in receivers:
        if each.stdout.readline() != "ready\n":
            raise OSError("a receiver of the goodput measurement did not start")
    for rack in racks:
        following = layout.all_nodes[0].__class__((rack + 1) % len(layout.nodes), 0)
        network.start_in(f"r{rack}n0", [*program, "send", following.address(), str(seconds)])
    rates = [float(each.communicate(timeout=seconds + 60)[0]) for each in receivers]
    return {"uplink": layout.uplink, "bytes_per_second": rates, "median": sorted(rates)[len(rates) // 2]}


if __name__ == "__main__":
    if sys.argv[1] == "receive":
        receive()
    else:
        send(sys.argv[2], float(sys.argv[3]))
    os._exit(0)
