"""As much of Docker's API as a DockerOperator calls, with a container that prints and exits as it is told."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Daemon:
    """What its next container prints and how it exits; what was asked of it."""

    output: str
    exit_code: int
    url: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    removed: int = 0


@contextmanager
def docker_daemon(output: str, exit_code: int) -> Iterator[Daemon]:
    daemon = Daemon(output, exit_code)
    started = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, body: Any = None, status: int = 200) -> None:
            data = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            if self.path.endswith("/_ping"):
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"OK")
            elif self.path.endswith("/version"):
                self.answer({"ApiVersion": "1.44"})
            elif "/images/json" in self.path:
                self.answer([{"Id": "sha256:1"}])
            else:
                self.answer({"Id": "c1", "Config": {"Tty": False}})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if "/containers/create" in self.path:
                daemon.created.append(json.loads(body))
                self.answer({"Id": "c1", "Warnings": []}, 201)
            elif "/attach" in self.path:
                data = daemon.output.encode()
                self.wfile.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
                started.wait(30)
                self.wfile.write(struct.pack(">BxxxL", 1, len(data)) + data)
                self.close_connection = True
            elif "/wait" in self.path:
                self.answer({"StatusCode": daemon.exit_code})
            else:
                self.answer(status=204)
                started.set()

        def do_DELETE(self) -> None:
            daemon.removed += 1
            started.clear()
            self.answer(status=204)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    daemon.url = f"tcp://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield daemon
    finally:
        server.shutdown()
        server.server_close()
