"""The simulated Service Layer as a program (src/testing/erp_simulator), for stories and measurements.

Standard library only. `with Simulator(program, orders=1000) as erp: erp.url, erp.change(5), erp.calls()`.
"""
import http.client
import json
import os
import pathlib
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/src/millrace_erp_simulator"
COMPANY, USER, PASSWORD = "NORDWERK", "manager", "manager"


def missing(program=PROGRAM):
    """Why it cannot run here, "" when it can."""
    return "" if pathlib.Path(program).exists() else f"{program} is not built; build millrace_erp_simulator"


class Simulator:
    company, user, password = COMPANY, USER, PASSWORD

    def __init__(self, program=PROGRAM, orders=1000, seed=1, first_number=0, delay_ms=0):
        words = [str(program), "--orders", orders, "--seed", seed, "--first-number", first_number, "--delay-ms", delay_ms]
        self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True, start_new_session=True)
        said = dict(line.split(" ", 1) for line in (self.process.stdout.readline().strip(), self.process.stdout.readline().strip()) if " " in line)
        if "control" not in said:
            self.stop()
            raise RuntimeError(f"the ERP simulator did not start: it ended with {self.process.returncode}")
        self.url = said["erp"]
        self.port = int(self.url.split(":")[2].split("/")[0])
        self.control = int(said["control"].rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()

    def _ask(self, port, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise RuntimeError(f"the ERP simulator answered {answer.status} to {method} {path}: {text[:200]!r}")
            return text, answer.headers
        finally:
            connection.close()

    def tell(self, method, path):
        """The control door: see src/testing/erp_simulator/main.cpp."""
        return json.loads(self._ask(self.control, method, path)[0])

    def change(self, count=1, which="all", trace="stamped", push=False, key=None):
        """Changes so many different orders, or always the one of that key; a list of {"order", "key", "at_us"}."""
        one = "" if key is None else f"&key={key}"
        return self.tell("POST", f"/change?count={count}&which={which}&trace={trace}&push={int(push)}{one}")["changes"]

    def deed(self, what, count=1):
        """Closes, cancels or removes the first open orders; their numbers."""
        return self.tell("POST", f"/deed?what={what}&count={count}")["orders"]

    def stats(self):
        return self.tell("GET", "/stats")

    def calls(self):
        """Calls the Service Layer has answered; asking for them is none."""
        return self.stats()["calls"]

    def delay(self, milliseconds):
        self.tell("POST", f"/delay?ms={milliseconds}")

    def subscribe(self, hook, secret):
        """Webhooks for every change of an order go to `hook` (https://..., heard over http); shakes hands at once."""
        _, headers = self._ask(self.port, "POST", "/b1s/v2/Login", json.dumps({"CompanyDB": COMPANY, "UserName": USER, "Password": PASSWORD}))
        cookie = {"Cookie": "; ".join(value.split(";", 1)[0] for value in headers.get_all("Set-Cookie"))}
        self._ask(self.port, "POST", "/b1s/v2/CompanyService_UpdateAdminInfo", '{"AdminInfo":{"EnableWebhook":"tYES"}}', cookie)
        events = [{"BusinessObject": "Orders", "TransactionType": kind} for kind in ("Created", "Updated", "Closed", "Canceled", "Deleted")]
        self._ask(self.port, "POST", "/b1s/v2/EventSubscriptions",
                  json.dumps({"WebhookID": "millrace", "WebhookURL": hook, "AuthenticationType": "HMAC", "AuthenticationCred": secret, "EventCollection": events}), cookie)
        self._ask(self.port, "POST", "/b1s/v2/Logout", "", cookie)
        self.tell("POST", "/push")

    def cpu(self):
        """CPU seconds it has used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
