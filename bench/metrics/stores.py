"""The stores under measurement: how each is started, fed and measured at rest."""
import json
import pathlib
import shutil
import urllib.request

root = pathlib.Path(__file__).resolve().parent.parent.parent


class Prometheus:
    name, port, write_path, ready_path = "Prometheus", 9490, "/api/v1/write", "/-/ready"

    def command(self, directory, port):
        (directory / "config.yml").write_text("global: {scrape_interval: 1h}\n")
        return ["prometheus", f"--config.file={directory}/config.yml", f"--storage.tsdb.path={directory}/data", "--storage.tsdb.retention.time=60d",
                f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--web.enable-admin-api", "--log.level=warn"]

    def disk_bytes(self, running, directory, size_of):
        """As blocks: a snapshot holds the head as one."""
        request = urllib.request.Request(f"http://{running.address}/api/v1/admin/tsdb/snapshot", method="POST")
        with urllib.request.urlopen(request, timeout=600) as answer:
            name = json.load(answer)["data"]["name"]
        size = size_of(directory / "data/snapshots" / name)
        shutil.rmtree(directory / "data/snapshots")
        return size


class VictoriaMetrics:
    name, port, write_path, ready_path = "VictoriaMetrics", 9428, "/api/v1/write", "/health"

    def command(self, directory, port):
        return ["victoria-metrics", f"-storageDataPath={directory}/data", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=3", "-loggerLevel=WARN",
                "-search.maxUniqueTimeseries=3000000", "-search.latencyOffset=0s"]

    def disk_bytes(self, running, directory, size_of):
        running.get("/internal/force_flush")
        running.get("/internal/force_merge")
        running.settle()
        return size_of(directory / "data")


class Stoker:
    name, port, write_path, ready_path = "Stoker", 9470, "/api/v1/write", "/-/ready"

    def command(self, directory, port):
        (directory / "stoker.yaml").write_text(f"""
gateway: {{listen: "127.0.0.1:0"}}
console: {{listen: "127.0.0.1:{port}"}}
data_dir: {directory}/data
log: {{level: warn}}
collect: {{host: false, discovery: {{enabled: false}}}}
storage: {{metrics: {{retention: 60d}}}}
""")
        return [str(root / "build/release/stoker"), "serve", "--config", f"{directory}/stoker.yaml"]

    def disk_bytes(self, running, directory, size_of):
        """After a graceful stop and start, so that everything is where it comes to rest."""
        running.settle()
        running.stop()
        size = size_of(directory / "data/tsdb")
        running.__init__(self, directory, self.port)
        running.wait(self.ready_path, b"")
        return size


STORES = [VictoriaMetrics(), Prometheus(), Stoker()]
