"""Runs a program of a process server: `PROCESS_SERVER=SOCKET python command_client.py PROGRAM WORDS…`.

It imports little, because it starts at each command.
"""

import json
import os
import socket
import sys


def serve_command(program: str, words: list[str]) -> int:
    """Run a program with our folder, environment and files; its exit code."""
    call = {"program": program, "folder": os.getcwd(), "environment": dict(os.environ), "words": words}
    with socket.socket(socket.AF_UNIX) as server, server.makefile() as lines:
        server.connect(os.environ["PROCESS_SERVER"])
        socket.send_fds(server, [json.dumps(call).encode()], [0, 1, 2])
        _, code = lines.readline(), lines.readline()
        return int(code or 70)


if __name__ == "__main__":
    sys.exit(serve_command(sys.argv[1], sys.argv[2:]))
