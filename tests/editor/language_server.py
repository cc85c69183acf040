"""The language server of VS Code's YAML extension, driven over LSP: what an editor offers and says."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

CURSOR = "‸"
"""Where the cursor is in a text."""

_CONFIGURATION = {
    "yaml": {"validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}},
    "http": {},
    "[yaml]": {"editor.tabSize": 2},
    "editor": {},
    "files": {},
}


@dataclass
class LanguageServer:
    """One server process, and the folder whose files it reads; the first line of a file names its schema."""

    process: subprocess.Popen[bytes]
    folder: Path
    schema: str = "rules.schema.json"
    diagnostics: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _requests: int = 0
    _files: int = 0

    def complete(self, text: str) -> dict[str, dict[str, Any]]:
        """What is offered at the cursor, by label."""
        uri, position = self._open(text)
        answer = self._request("textDocument/completion", textDocument={"uri": uri}, position=position)
        found = answer["items"] if isinstance(answer, dict) else answer or []
        return {item["label"]: item for item in found}

    def hover(self, text: str) -> str:
        """What is said of the word at the cursor; empty for nothing."""
        uri, position = self._open(text)
        answer = self._request("textDocument/hover", textDocument={"uri": uri}, position=position)
        if not answer:
            return ""
        contents = answer["contents"]
        return str(contents["value"] if isinstance(contents, dict) else contents)

    def diagnose(self, text: str) -> list[str]:
        """Everything that the editor underlines, as `line: message`."""
        uri, _ = self._open(text)
        while uri not in self.diagnostics:
            self._receive()
        found = self.diagnostics[uri]
        return [f"{one['range']['start']['line']}: {one['message']}" for one in found]

    def start(self) -> None:
        """Introduce the editor, as every editor does first."""
        capabilities = {
            "workspace": {"configuration": True},
            "textDocument": {
                "completion": {
                    "completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}
                },
                "hover": {"contentFormat": ["markdown"]},
            },
        }
        self._request("initialize", processId=None, rootUri=self.folder.as_uri(), capabilities=capabilities)
        self._notify("initialized")
        self._notify("workspace/didChangeConfiguration", settings=_CONFIGURATION)

    def _open(self, marked: str) -> tuple[str, dict[str, int]]:
        text = f"# yaml-language-server: $schema={self.schema}\n{marked}"
        before = text.partition(CURSOR)[0]
        position = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        self._files += 1
        uri = (self.folder / f"file{self._files}.yaml").as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text.replace(CURSOR, "")}
        self._notify("textDocument/didOpen", textDocument=document)
        return uri, position

    def _request(self, method: str, **parameters: Any) -> Any:
        self._requests += 1
        self._send({"id": self._requests, "method": method, "params": parameters})
        while True:
            message = self._receive()
            if message.get("id") == self._requests and "method" not in message:
                assert "error" not in message, message
                return message.get("result")

    def _notify(self, method: str, **parameters: Any) -> None:
        self._send({"method": method, "params": parameters})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        stream = _opened(self.process.stdin)
        stream.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        stream.flush()

    def _receive(self) -> dict[str, Any]:
        """The next message; answers the server's own questions, and keeps what it underlines."""
        stream = _opened(self.process.stdout)
        length = 0
        while (line := stream.readline().strip()) or not length:
            assert line, f"the language server ended with {self.process.wait()}"
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message: dict[str, Any] = json.loads(stream.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            items = message.get("params", {}).get("items", ())
            result = [_CONFIGURATION.get(item.get("section")) for item in items] or None
            self._send({"id": message["id"], "result": result})
        return message


def _opened(stream: BinaryIO | Any) -> Any:
    assert stream is not None
    return stream


@contextmanager
def serve(program: list[str], folder: Path) -> Iterator[LanguageServer]:
    """A server for the files of a folder, until the end of the block."""
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            server = LanguageServer(process, folder)
            server.start()
            yield server
        finally:
            process.kill()
