"""`in-session.py COMMAND…` runs a command out of reach of the terminal's Ctrl-C, and stops all of it.

On SIGTERM, or when its caller is gone, the command gets SIGTERM and time to end its own processes in order. What is left of its
session after that is killed.
"""

import os
import signal
import subprocess
import sys
import time

ORDERLY_SECONDS = 30
GRACE_SECONDS = 10

command = sys.argv[1:]


def start_session() -> None:
    os.setsid()
    # What a shell starts in the background ignores SIGINT, and so would the command.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def send(group: int, number: signal.Signals, seconds: float) -> None:
    if not is_alive(group):
        return
    os.killpg(group, number)
    end = time.monotonic() + seconds
    while is_alive(group) and time.monotonic() < end:
        child.poll()
        time.sleep(0.05)


def stop() -> None:
    child.terminate()
    try:
        child.wait(ORDERLY_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"{command[0]} does not end: killing it", file=sys.stderr)


stopping = False


def ask_to_stop(*_: object) -> None:
    global stopping
    stopping = True


signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, ask_to_stop)
child = subprocess.Popen(command, preexec_fn=start_session)
parent = os.getppid()
# Not in the handler: a wait there would wait for the one that it interrupts.
while child.poll() is None and not stopping:
    time.sleep(0.1)
    # Killed, the caller could not say so.
    stopping = stopping or os.getppid() != parent
if stopping:
    stop()
send(child.pid, signal.SIGTERM, GRACE_SECONDS)
send(child.pid, signal.SIGKILL, GRACE_SECONDS)
sys.exit(143 if stopping else child.returncode)
