"""What is compared: how each proxy is configured and started. Each gets one thread and a configuration that its manual would give it
for this job: connections kept on both sides, no delay for small writes, nothing written to disk but by Stoker."""
import hashlib
import pathlib
import shutil

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent
UPSTREAM = "127.0.0.1:9101"
TRACES = "127.0.0.1:9102"  # Where traces are taken in and forgotten.
KEY = "sk-stoker-the-benchmark-needs-no-secret"

HAPROXY = """global
    nbthread 1
    maxconn 9500
defaults
    mode http
    option http-no-delay
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
frontend front
    bind {address}
    default_backend back
backend back
    server one {upstream}
"""

NGINX = """daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    client_body_buffer_size 512k;
    keepalive_requests 100000000;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffering off;
    upstream back {{ server {upstream}; keepalive 2048; keepalive_requests 100000000; }}
    server {{ listen {address} backlog=8192; location / {{ proxy_pass http://back; }} }}
}}
"""


class Proxy:
    """One of them: its name, the address it listens on, the headers it wants and how long it may take to be ready."""
    headers = ()
    streams = True

    def __init__(self, port):
        self.address = f"127.0.0.1:{port}"

    def missing(self):
        """Why it can't take part here; None if it can."""
        return None

    def ready(self):
        return f"http://{self.address}/health"


class HAProxy(Proxy):
    name = "HAProxy"

    def missing(self):
        return None if shutil.which("haproxy") else "haproxy is not installed (scripts/setup.sh bench)"

    def command(self, directory):
        (directory / "haproxy.cfg").write_text(HAPROXY.format(address=self.address, upstream=UPSTREAM))
        return ["haproxy", "-f", str(directory / "haproxy.cfg")]


class Nginx(Proxy):
    name = "nginx"

    def missing(self):
        return None if shutil.which("nginx") else "nginx is not installed (scripts/setup.sh bench)"

    def command(self, directory):
        (directory / "nginx.conf").write_text(NGINX.format(address=self.address, upstream=UPSTREAM, directory=directory))
        return ["nginx", "-c", str(directory / "nginx.conf")]


class Portkey(Proxy):
    name = "Portkey"
    start = here / "node_modules/@portkey-ai/gateway/build/start-server.js"
    headers = ("authorization: Bearer bench", "x-portkey-provider: openai", f"x-portkey-custom-host: http://{UPSTREAM}/v1")
    # 1.15.2 answers streams with a 500 under Node 20, whatever the upstream's content type: it adds fields to headers that fetch
    # gave out as immutable ("tryTargetsRecursively error: TypeError: immutable").
    streams = False

    def missing(self):
        return None if self.start.exists() else "npm ci in bench/gateway brought no Portkey gateway"

    def command(self, _directory):
        return ["node", str(self.start), f"--port={self.address.split(':')[1]}", "--headless"]

    def ready(self):
        return f"http://{self.address}/"


class Stoker(Proxy):
    name = "Stoker"
    headers = (f"authorization: Bearer {KEY}",)

    def command(self, directory):
        text = (here / "stoker.yaml").read_text().format(address=self.address, upstream=UPSTREAM, traces=TRACES,
                                                             key_hash=hashlib.sha256(KEY.encode()).hexdigest())
        (directory / "stoker.yaml").write_text(text)
        return [str(root / "build/release/stoker"), "serve", "--config", str(directory / "stoker.yaml"),
                "--data-dir", str(directory / "data"), "--log-level", "warn"]


class Direct(Proxy):
    """No proxy: the upstream itself."""
    name = "direct"

    def __init__(self):
        self.address = UPSTREAM

    def command(self, _directory):
        return None


def everyone():
    return [Direct(), HAProxy(9111), Nginx(9121), Stoker(9131), Portkey(9141)]
