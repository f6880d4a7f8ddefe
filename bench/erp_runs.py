"""What the measurements of an ERP sync share: settings for sources, one sync by the command line, percentiles."""
import json
import math
import pathlib
import subprocess

SYNC_SECONDS_MAX = 600
GOOD, WITH_FINDINGS = 0, 6  # exit codes: the peer's own changes leave totals that do not agree with their lines


def settings_file(folder, sources):
    """A settings file with a table per source: {"erp": {"url": ..., "company": ..., "user": ..., "password": ..., more keys}}."""
    text = ""
    for name, values in sources.items():
        values = {"kind": "sap-b1", **values}
        for secret in ("password", "webhook_secret"):
            if secret in values:
                file = pathlib.Path(folder) / f"{name}.{secret}"
                file.write_text(values.pop(secret))
                file.chmod(0o600)
                values[f"{secret}_file"] = str(file)
        text += f"[source.{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
    config = pathlib.Path(folder) / "millrace.toml"
    config.write_text(text)
    return config


def sync(binary, name, config, data):
    """`millrace sync NAME --json` to its end; its report."""
    words = [binary, "sync", name, "--config", config, "--data", data, "--json"]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=SYNC_SECONDS_MAX)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode not in (GOOD, WITH_FINDINGS) or not lines:
        raise RuntimeError(f"millrace sync ended with {done.returncode}: {done.stderr[-400:]}")
    return json.loads(lines[-1])


def percentile(values, share):
    """The nearest value that at least `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]
