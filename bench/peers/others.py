"""The servers beside Sapwood: a class each, with the configuration that somebody who knows it would write."""

from __future__ import annotations

from typing import ClassVar

from bench.peers import machine
from bench.peers.servers import Server


class Nginx(Server):
    """One worker; its cache on tmpfs, no access log. ``/memcached/`` reads from memcached, ``/pass/`` passes through."""

    kind = "nginx"
    package = "nginx-light"
    configuration: ClassVar[str] = """
worker_processes 1; daemon off; pid {folder}/pid; error_log stderr error; worker_rlimit_nofile 20000;
events {{ worker_connections 16384; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 300s;
  client_body_temp_path {folder}/temp; proxy_temp_path {folder}/temp; fastcgi_temp_path {folder}/temp;
  uwsgi_temp_path {folder}/temp; scgi_temp_path {folder}/temp;
  proxy_cache_path {folder}/cache levels=1:2 keys_zone=hot:128m max_size={budget}m inactive=2h use_temp_path=off;
  upstream backend {{ server 127.0.0.1:{backend}; keepalive 64; keepalive_requests 1000000000; }}
  upstream memory {{ server 127.0.0.1:{memcached}; keepalive 64; keepalive_requests 1000000000; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_cache hot; proxy_cache_lock on; proxy_pass http://backend;
                  add_header X-Cache-Status $upstream_cache_status; }}
    location /pass/ {{ proxy_pass http://backend; }}
    location /memcached/ {{ set $memcached_key $uri; default_type application/json; memcached_pass memory; }}
  }}
}}
"""

    def words(self) -> list[str]:
        """Return nginx in the foreground."""
        said = {"folder": self.folder, "port": self.port, "budget": self.budget}
        text = self.configuration.format(**said, backend=self.bed.backend, memcached=self.bed.memcached)
        path = self.write("nginx.conf", text)
        return [machine.find_tool("nginx", self.package), "-p", str(self.folder), "-c", path, "-e", "stderr"]


class Varnish(Server):
    """Storage in malloc; what may be shared is looked up whatever credential the request has, as our rules say."""

    kind = "varnish"
    package = "varnish"
    configuration: ClassVar[str] = """
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{backend}"; }}
sub vcl_recv {{
  if (req.url ~ "^/pass/") {{ return (pass); }}
  unset req.http.Authorization;
  unset req.http.Cookie;
  return (hash);
}}
"""

    def words(self) -> list[str]:
        """Return varnishd in the foreground, without a jail, which would want users of its own."""
        vcl = self.write("default.vcl", self.configuration.format(backend=self.bed.backend))
        words = [machine.find_tool("varnishd", self.package), "-F", "-j", "none", "-n", str(self.folder / "work")]
        return [*words, "-a", f"127.0.0.1:{self.port}", "-f", vcl, "-s", f"malloc,{self.budget}m"]

    def memory(self) -> int:
        """Return its processes' alone: its log is a file that they map."""
        return machine.proportional_bytes(self.pids())


class Haproxy(Server):
    """One thread, its cache; it keeps nothing of requests with a credential, so that is taken off."""

    kind = "haproxy"
    package = "haproxy"
    configuration: ClassVar[str] = """
global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 60s
  http-reuse always
cache hot
  total-max-size {budget}
  max-object-size 1000000
  max-age 3600
frontend clients
  bind 127.0.0.1:{port} backlog 4096
  acl passed path_beg /pass/
  http-request del-header Authorization unless passed
  http-request cache-use hot unless passed
  http-response cache-store hot
  default_backend api
backend api
  server one 127.0.0.1:{backend} pool-max-conn 64
"""

    def words(self) -> list[str]:
        """Return haproxy in the foreground."""
        said = {"port": self.port, "budget": self.budget, "backend": self.bed.backend}
        path = self.write("haproxy.cfg", self.configuration.format(**said))
        return [machine.find_tool("haproxy", self.package), "-db", "-f", path]
