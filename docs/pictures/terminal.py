"""Records what a command prints in a terminal."""

import fcntl
import os
import pty
import select
import struct
import termios
import time

import pyte

# The minimum for the report of the demo without wrapped paths: they have 44 characters, and the other columns 78.
COLUMNS = 122
# Higher than any output, so that nothing scrolls away.
ROWS = 60
FRAMES_PER_SECOND = 3


def record(command, directory):
    """Runs a command and returns its frames: (seconds since the start, lines of the screen)."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    stream.feed(f"$ {' '.join(command)}\r\n".encode())
    frames = [(0.0, list(screen.display))]
    started = time.monotonic()
    pid, terminal = start(command, directory)
    while (output := read(terminal)) is not None:
        stream.feed(output)
        seconds = time.monotonic() - started
        if seconds - frames[-1][0] >= 1 / FRAMES_PER_SECOND:
            frames.append((seconds, list(screen.display)))
    frames.append((time.monotonic() - started, list(screen.display)))
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise SystemExit(f"{command} failed:\n" + "\n".join(screen.display).rstrip())
    return frames


def start(command, directory):
    """Starts a command in a new terminal, and returns its process id and the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.chdir(directory)
        os.environ["TERM"] = "xterm"
        os.execvp(command[0], command)
    return pid, terminal


def read(terminal):
    """Returns the next output, perhaps none yet, or `None` if the command has exited."""
    if not select.select([terminal], [], [], 0.1)[0]:
        return b""
    try:
        return os.read(terminal, 65536) or None
    except OSError:  # Linux reports the end of a terminal as an error.
        return None
