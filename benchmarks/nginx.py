"""nginx as the platform behind everybody, as a peer with njs, and as the floor: a plain proxy."""

from __future__ import annotations

import shutil
from pathlib import Path
from string import Template
from typing import Final

NGINX: Final = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
_MODULES: Final = (Path("/usr/lib/nginx/modules"), Path("/usr/lib64/nginx/modules"))
NJS: Final = next((folder / "ngx_http_js_module.so" for folder in _MODULES if folder.is_dir()), None)

_CONF: Final = Template("""
$modules
worker_processes 1;
daemon off;
pid $folder/$name.pid;
error_log $folder/$name.err;
events { worker_connections 4096; }
http {
    access_log off;
    default_type application/json;
    keepalive_requests 1000000000;
    large_client_header_buffers 8 32k;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    $http
    server {
        listen 127.0.0.1:$port backlog=4096;
        $server
    }
}
""")

_REST: Final = (
    '"status":"PENDING_OUTGOING","firstRequestedAt":1470018073812,"updatedAt":1471018076255,"requestCounter":1'
)
NATIVE: Final = f'{{"userId":%s,{_REST}}}'
"""The pod's answer about one user, as its documentation has it."""

# A list without a script: the ids of the query stand in a template, and the filter puts what belongs between two of
# them where there is a comma. The template's own commas are written as ~ meanwhile.
_PLATFORM: Final = f"""
        location = /calls {{ stub_status; }}
        location ~ ^/pod/v1/connection/user/([0-9]+)/info$ {{ return 200 '{{"userId":$1,{_REST}}}'; }}
        location = /pod/v1/connection/list {{
            sub_filter_once off;
            sub_filter_types application/json;
            sub_filter ',' ',{_REST}}},{{"userId":';
            sub_filter '~' ',';
            return 200 '[{{"userId":$arg_userIds~{_REST.replace(",", "~")}}}]';
        }}
"""
_UPSTREAM: Final = "upstream pod { server $upstream; keepalive 64; keepalive_requests 1000000000; }"
_PASS: Final = 'proxy_pass http://pod; proxy_http_version 1.1; proxy_set_header Connection "";'


def platform(folder: Path, port: int) -> list[str]:
    """The command that serves it."""
    return _command(folder, "platform", port, server=_PLATFORM)


def proxy(folder: Path, port: int, upstream: str) -> list[str]:
    rewrite = "rewrite ^/v1/connections/[^/]+/([0-9]+)$ /pod/v1/connection/user/$1/info break;"
    http = Template(_UPSTREAM).substitute(upstream=upstream)
    return _command(folder, "proxy", port, http=http, server=f"location / {{ {rewrite} {_PASS} }}")


def njs(folder: Path, port: int, upstream: str, script: Path) -> list[str]:
    http = f"{Template(_UPSTREAM).substitute(upstream=upstream)} js_import translate from {script};"
    server = (
        f"location /v1/ {{ js_content translate.lookup; }} location /pod/ {{ internal; {_PASS}"
        " subrequest_output_buffer_size 16k; }"
    )
    return _command(folder, "njs", port, modules=f"load_module {NJS};", http=http, server=server)


def balancer(folder: Path, name: str, port: int, gateways: list[int], *, is_hashed: bool) -> list[str]:
    """In front of gateways, as config/nginx has it; each in turn unless it is hashed."""
    servers = "".join(f"server 127.0.0.1:{each}; " for each in gateways)
    hashed = "hash $http_sessiontoken consistent; " if is_hashed else ""
    http = f"upstream gateways {{ {hashed}{servers}keepalive 64; keepalive_requests 1000000000; }}"
    passed = 'proxy_pass http://gateways; proxy_http_version 1.1; proxy_set_header Connection "";'
    return _command(
        folder, name, port, http=http, server=f"location / {{ {passed} proxy_set_header Host $http_host; }}"
    )


def _command(folder: Path, name: str, port: int, *, modules: str = "", http: str = "", server: str) -> list[str]:
    conf = folder / f"{name}.conf"
    conf.write_text(_CONF.substitute(folder=folder, name=name, port=port, modules=modules, http=http, server=server))
    return [str(NGINX), "-e", str(folder / f"{name}.err"), "-c", str(conf)]
