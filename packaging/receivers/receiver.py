#!/usr/bin/env python3
"""An example receiver for callspool's webhook: takes calls and recordings, each once. Python 3.9 or newer, nothing else.

    python3 receiver.py --secret-file secret.txt --folder ./received --port 8080

secret.txt holds the `whsec_...` secret that callspool signs with. Point callspool at http://<this machine>:8080/hook.
Calls land in ./received/received.db (table `events`), recordings beside it in ./received/audio. Behind a reverse proxy
that speaks HTTPS give --base https://crm.example, which is what upload addresses then begin with.

What a receiver must do, and where this one does it:
  * check the signature over the raw body before reading it (`signed_by_callspool`; Standard Webhooks 1.0.0)
  * apply a `webhook-id` once, and answer a repeat as the first time (`hook`; callspool repeats until it gets its answer)
  * answer `recording.ready` with an upload address, or with the hash of what it has (`recording_ready`)
  * answer an upload only after the bytes are checked and safe on disk (`do_PUT`)
"""
import argparse, base64, hashlib, hmac, json, os, re, secrets, sqlite3, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOLERANCE, LARGEST_EVENT = 300, 256 * 1024  # seconds, bytes
ENDINGS = {"audio/wav": ".wav", "audio/x-wav": ".wav", "audio/mpeg": ".mp3", "audio/ogg": ".ogg"}
SCHEMA = """
CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, body_sha256 TEXT, type TEXT, call TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS uploads (token TEXT PRIMARY KEY, id TEXT, call TEXT, recording TEXT, bytes INTEGER,
    sha256 TEXT, content_type TEXT);
CREATE TABLE IF NOT EXISTS recordings (call TEXT, recording TEXT, sha256 TEXT, file TEXT, PRIMARY KEY (call, recording));
"""


class Refused(Exception):
    """Carries the HTTP status and the reason."""


def signed_by_callspool(key, headers, body):
    """Gives the webhook-id, or refuses. The signature covers id, time of the attempt and the body's bytes."""
    webhook_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not webhook_id or "." in webhook_id or not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise Refused(401, "webhook-id or webhook-timestamp is missing or malformed")
    good = base64.b64encode(hmac.digest(key, f"{webhook_id}.{stamp}.".encode() + body, "sha256"))
    given = [s[3:] for s in headers.get("webhook-signature", "").split() if s.startswith("v1,")]
    if not any(hmac.compare_digest(good, s.encode()) for s in given):
        raise Refused(401, "no signature fits the secret")
    if abs(time.time() - int(stamp)) > TOLERANCE:
        raise Refused(401, "webhook-timestamp is more than 5 minutes off: check both clocks")
    return webhook_id


def safe_name(call, recording, content_type):
    """A name that can't leave the folder, and is another one for each recording whatever the ids are made of."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", f"{call}_{recording}").strip("-")[:60]
    unique = hashlib.sha256(json.dumps([call, recording]).encode()).hexdigest()[:12]
    return f"{readable}-{unique}{ENDINGS.get(content_type, '.bin')}"


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_POST(self):
        self.guarded(self.hook if self.path == "/hook" else self.nothing_here)

    def do_PUT(self):
        self.guarded(self.upload if self.path.startswith("/upload/") else self.nothing_here)

    def guarded(self, work):
        """Runs `work` with a database of its own (SQLite wants one a thread) and turns a refusal into an answer."""
        self.db = sqlite3.connect(self.server.folder / "received.db", timeout=30)
        try:
            work()
        except Refused as refused:
            self.close_connection = True  # the body may be unread
            self.answer(refused.args[0], {"error": refused.args[1]})
        finally:
            self.db.close()

    def nothing_here(self):
        raise Refused(404, "nothing here")

    def hook(self):
        length = self.length(LARGEST_EVENT)
        body = self.rfile.read(length)
        if len(body) < length:
            raise Refused(400, "the body was cut")
        webhook_id = signed_by_callspool(self.server.key, self.headers, body)
        try:
            event = json.loads(body)
            kind, data = event["type"], event["data"]
            call, ready = str(data["call"]), None
            if kind == "recording.ready":
                ready = (str(data["recording"]), int(data["bytes"]), data["sha256"].lower(), str(data["content_type"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(400, "not an event of callspool")
        digest = hashlib.sha256(body).hexdigest()
        with self.db:  # one transaction: the event is applied and remembered, or neither
            new = self.db.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?)",
                                  (webhook_id, digest, kind, call, body.decode())).rowcount
            known = self.db.execute("SELECT body_sha256 FROM events WHERE id = ?", (webhook_id,)).fetchone()[0]
            if known != digest:
                raise Refused(422, "this webhook-id came with another body before")
            # Your CRM's own work belongs here, in the same transaction, under `if new:`.
        print(f"{kind} call {call}{'' if new else ' (a repeat)'}", flush=True)
        if ready:
            return self.recording_ready(webhook_id, call, *ready)
        self.answer(204)

    def recording_ready(self, webhook_id, call, recording, size, digest, content_type):
        stored = self.stored(call, recording)
        if stored:
            return self.answer(200, {"stored": {"sha256": stored}})
        if self.server.decline:
            return self.answer(200, {"declined": "no audio is wanted here"})
        token = secrets.token_urlsafe(32)
        with self.db:
            self.db.execute("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?, ?)",
                            (token, webhook_id, call, recording, size, digest, content_type))
        base = self.server.base or f"http://{self.headers['host']}"
        self.answer(200, {"upload": {"url": f"{base}/upload/{token}", "headers": {}}})

    def upload(self):
        promised = self.db.execute("SELECT id, call, recording, bytes, sha256, content_type FROM uploads"
                                   " WHERE token = ?", (self.path.removeprefix("/upload/"),)).fetchone()
        if not promised or promised[0] != self.headers.get("webhook-id"):
            raise Refused(404, "no such upload")
        webhook_id, call, recording, size, digest, content_type = promised
        if self.length(size) != size:
            raise Refused(422, "not as many bytes as announced")
        name = safe_name(call, recording, content_type)
        folder, part = self.server.folder / "audio", f".{secrets.token_hex(8)}.part"
        try:
            with open(folder / part, "xb") as file:  # never all of it in memory
                seen, left = hashlib.sha256(), size
                while left and (block := self.rfile.read(min(left, 65536))):
                    file.write(block)
                    seen.update(block)
                    left -= len(block)
                file.flush()
                os.fsync(file.fileno())
            claimed = f"sha-256=:{base64.b64encode(seen.digest()).decode()}:"
            if left or seen.hexdigest() != digest or claimed not in self.headers.get("content-digest", ""):
                raise Refused(422, "not the announced bytes")
            stored = self.stored(call, recording)
            if stored not in (None, digest):
                raise Refused(422, "this recording is stored with other bytes")
            os.replace(folder / part, folder / name)
            handle = os.open(folder, os.O_RDONLY)  # the new name must survive a power cut too
            os.fsync(handle)
            os.close(handle)
            with self.db:
                self.db.execute("INSERT OR IGNORE INTO recordings VALUES (?, ?, ?, ?)", (call, recording, digest, name))
        finally:
            (folder / part).unlink(missing_ok=True)
        print(f"recording {recording} of call {call} stored as {name}", flush=True)
        self.answer(200 if stored else 201, {"stored": {"sha256": digest}})

    def stored(self, call, recording):
        row = self.db.execute("SELECT sha256 FROM recordings WHERE call = ? AND recording = ?",
                              (call, recording)).fetchone()
        return row and row[0]

    def length(self, limit):
        text = self.headers.get("content-length", "")
        if not re.fullmatch(r"[0-9]{1,15}", text):
            raise Refused(411, "content-length is needed")
        if int(text) > limit:
            raise Refused(413, "too large")
        return int(text)

    def answer(self, status, body=None):
        text = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if body is not None:
            self.send_header("content-type", "application/json")
        if self.close_connection:
            self.send_header("connection", "close")  # or the sender would use it again
        if status != 204:
            self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Addresses hold upload tokens: the usual request log stays off."""


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--secret-file", type=Path, required=True)
    words.add_argument("--folder", type=Path, default=Path("received"))
    words.add_argument("--host", default="127.0.0.1")
    words.add_argument("--port", type=int, default=8080, help="0 takes a free one")
    words.add_argument("--base", help="what upload addresses begin with, such as https://crm.example")
    words.add_argument("--decline-audio", action="store_true", help="take calls, and say that no audio is wanted")
    options = words.parse_args()
    secret = options.secret_file.read_text().strip()
    if not secret.startswith("whsec_"):
        words.error("the secret must begin with whsec_")
    (options.folder / "audio").mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(options.folder / "received.db") as db:
        db.executescript(SCHEMA)
    server = ThreadingHTTPServer((options.host, options.port), Receiver)
    server.key, server.folder, server.base = base64.b64decode(secret[6:]), options.folder, options.base
    server.decline = options.decline_audio
    print(f"listening on http://{options.host}:{server.server_address[1]}/hook", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
