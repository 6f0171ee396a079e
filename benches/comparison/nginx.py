"""nginx with Debian's default settings. It serves the feeds, each on its own address, and copies of newsfold's feeds."""

import os
import pathlib
import socket
import subprocess
import urllib.request

import measure

CONFIGURATION = """
{user}
worker_processes auto;
worker_rlimit_nofile 8192;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
daemon off;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    # The clients of a benchmark send more than the default of 1,000 requests in one connection.
    keepalive_requests 100000000;
    default_type application/rss+xml;
    client_body_temp_path {folder}/temp;
    proxy_temp_path {folder}/temp;
    fastcgi_temp_path {folder}/temp;
    uwsgi_temp_path {folder}/temp;
    scgi_temp_path {folder}/temp;
    server {{
        listen {port};
        location = /feed.xml {{ alias {folder}/feeds/$server_addr.xml; }}
        location = /empty.xml {{ alias {folder}/feeds/empty.xml; }}
        location = /requests {{ stub_status; }}
        location /copies/ {{ root {folder}; gzip_static on; }}
    }}
}}
"""


class Nginx:
    def __init__(self, folder):
        self.feeds, self.copies = folder / "feeds", folder / "copies"
        self.feeds.mkdir(parents=True)
        self.copies.mkdir()
        self.port = measure.free_port()
        # The workers run as root, because the directory belongs to root.
        user = "user root;" if os.geteuid() == 0 else ""
        configuration = folder / "nginx.conf"
        configuration.write_text(CONFIGURATION.format(folder=folder, port=self.port, user=user))
        self.process = subprocess.Popen(["nginx", "-p", folder, "-e", folder / "error.log", "-c", configuration])
        measure.wait_until("nginx responds", self.accepts)

    def accepts(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def url(self, address, path):
        return f"http://{address}:{self.port}/{path}"

    def requests(self):
        """The number of requests so far, including this one."""
        with urllib.request.urlopen(self.url("127.0.0.1", "requests")) as status:
            return int(status.read().split(b"\n")[2].split()[2])

    def cpu_seconds(self):
        """The CPU time of the workers."""
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return sum(measure.cpu_seconds(int(child)) for child in children)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)
