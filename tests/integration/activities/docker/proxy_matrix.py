"""What may whoever owns the docker worker do to an engine?

The two tables are the answer: the calls of the first, and none else. ``{id}`` is the full id of a
container, ``{image}`` that of an image, ``{labels}`` what a commit has to write and ``{project}``
what it may write before that.
"""

from __future__ import annotations

from typing import Final

from tests.integration.activities.docker.docker_worker import REQUEST

_IMAGES: Final = "/v1.41/images/json?only_ids=0&all=0&filters=%7B%22label%22%3A+%5B%22dockwarden."
_LIST: Final = "/v1.41/containers/json?limit=-1&all=1&size="
_COMMIT: Final = "/v1.41/commit?container={id}&pause=True&changes="
_TAG: Final = "/v1.41/images/{image}/tag?tag=a&repo=dockwarden%2Fweb-1&force=0"
_REMOVE: Final = "/v1.41/images/{image}?force=False&noprune=False"
_LABEL: Final = "LABEL+dockwarden."
_GAPS: Final = {
    "{labels}": f"{_LABEL}request-id%3D{REQUEST}%0A{_LABEL}source%3D{{id}}",
    "{project}": f"LABEL+com.docker.compose.project%3D%0A{_LABEL}was.project%3D73686f70%0A",
}

#: What each is for, the call, and what an engine answers when they come in this order.
ALLOWED: Final = (
    ("which API it speaks", "GET /version", 200),
    ("what it is", "GET /v1.41/info", 200),
    ("see all containers", f"GET {_LIST}0&trunc_cmd=0", 200),
    ("see one", "GET /v1.41/containers/{id}/json", 200),
    (
        "see what it wrote",
        f"GET {_LIST}1&trunc_cmd=0&filters=%7B%22id%22%3A+%5B%22{{id}}%22%5D%7D",
        200,
    ),
    ("pause it", "POST /v1.41/containers/{id}/pause", 204),
    ("unpause it", "POST /v1.41/containers/{id}/unpause", 204),
    ("stop it", "POST /v1.41/containers/{id}/stop?t=10", 204),
    ("make an image of it", f"POST {_COMMIT}{{project}}{{labels}}", 201),
    ("name an image", f"POST {_TAG}", 201),
    ("see an image", "GET /v1.41/images/{image}/json", 200),
    ("see it by its name", "GET /v1.41/images/dockwarden/web-1:a/json", 200),
    ("see which are snapshots", f"GET {_IMAGES}source%22%5D%7D", 200),
    ("see those of one container", f"GET {_IMAGES}source%3D{{id}}%22%5D%7D", 200),
    ("see those of one request", f"GET {_IMAGES}request-id%3D{REQUEST}%22%5D%7D", 200),
    ("start it", "POST /v1.41/containers/{id}/start", 204),
    ("remove an image", f"DELETE {_REMOVE}", 200),
)

#: What each would give, and calls that would do it.
REFUSED: Final = {
    "a command in a container": (
        "POST /v1.41/containers/{id}/exec",
        "POST /v1.41/exec/{id}/start",
        "POST /v1.41/containers/{id}/attach",
        "GET /v1.41/containers/{id}/attach/ws",
    ),
    "a container of one's own": (
        "POST /v1.41/containers/create",
        "POST /v1.41/containers/create?name=evil",
        "POST /v1.41/containers/{id}/update",
        "POST /v1.41/containers/{id}/rename?name=x",
        "POST /v1.41/services/create",
    ),
    "an end that nobody approved": (
        "POST /v1.41/containers/{id}/kill",
        "POST /v1.41/containers/{id}/restart",
        "DELETE /v1.41/containers/{id}",
        "DELETE /v1.41/containers/{id}?force=1",
        "POST /v1.41/containers/prune",
    ),
    "files of a container": (
        "GET /v1.41/containers/{id}/archive?path=/etc/shadow",
        "HEAD /v1.41/containers/{id}/archive?path=/",
        "PUT /v1.41/containers/{id}/archive?path=/",
        "GET /v1.41/containers/{id}/export",
        "GET /v1.41/containers/{id}/changes",
        "GET /v1.41/images/{image}/get",
        "GET /v1.41/images/get?names=rig/busybox",
    ),
    "what it prints and runs": (
        "GET /v1.41/containers/{id}/logs?stdout=1",
        "GET /v1.41/containers/{id}/top",
        "GET /v1.41/containers/{id}/stats",
        "GET /v1.41/events",
        "GET /v1.41/system/df",
        "GET /v1.41/images/{image}/history",
    ),
    "images from elsewhere, or to there": (
        "POST /v1.41/build",
        "POST /v1.41/images/create?fromImage=evil",
        "POST /v1.41/images/load",
        "POST /v1.41/images/dockwarden/web-1/push",
        "GET /v1.41/images/search?term=x",
        "POST /v1.41/auth",
        "GET /v1.41/distribution/web/json",
    ),
    "the end of other images": (
        "POST /v1.41/images/prune",
        "DELETE /v1.41/images/rig/busybox:1",
        "DELETE /v1.41/images/{image}",
        "DELETE /v1.41/images/{image}?force=1",
        "DELETE /v1.41/images/{image}?force=True&noprune=False",
        "DELETE /v1.41/images/{image}?force=False&noprune=False&force=True",
        "POST /v1.41/build/prune",
    ),
    "the rest of the engine": (
        "GET /v1.41/volumes",
        "POST /v1.41/volumes/create",
        "DELETE /v1.41/volumes/x",
        "GET /v1.41/networks",
        "POST /v1.41/networks/create",
        "POST /v1.41/networks/x/connect",
        "GET /v1.41/secrets",
        "GET /v1.41/configs",
        "GET /v1.41/swarm",
        "POST /v1.41/swarm/init",
        "GET /v1.41/nodes",
        "GET /v1.41/tasks",
        "GET /v1.41/plugins",
        "POST /v1.41/plugins/pull?remote=x",
        "POST /v1.41/session",
        "POST /grpc",
        "GET /v1.41/_ping",
        "GET /metrics",
        "GET /",
    ),
    "a container by what can stand for another": (
        "GET /v1.41/containers/web-1/json",
        "POST /v1.41/containers/web-1/stop?t=10",
        "POST /v1.41/containers/0123456789ab/stop?t=10",
        "POST /v1.41/containers/{id}a/stop?t=10",
        "POST /containers/{id}/stop?t=10",
        "POST /v1.41/images/rig/busybox:1/tag?tag=a&repo=web&force=0",
    ),
    "other parameters": (
        "POST /v1.41/containers/{id}/stop",
        "POST /v1.41/containers/{id}/stop?t=-1",
        "POST /v1.41/containers/{id}/stop?t=601",
        "POST /v1.41/containers/{id}/stop?t=10&signal=KILL",
        "POST /v1.41/containers/{id}/start?checkpoint=x",
        "GET /v1.41/containers/{id}/json?size=1",
        "GET /v1.41/containers/json",
        "GET /v1.41/info?x",
        "GET /version?x",
        "POST /v1.41/images/{image}/tag?tag=a&repo=web&force=1",
        "POST /v1.41/images/{image}/tag?tag=a&repo=web%0A&force=0",
        "GET /v1.41/images/json",
        "GET /v1.41/images/json?only_ids=0&all=1",
        "GET /v1.41/images/{image}/json?manifests=1",
    ),
    "an instruction in a commit": (
        "POST /v1.41/commit",
        "POST /v1.41/commit?container=web-1&pause=True&changes={labels}",
        "POST /v1.41/commit?container={id}",
        "POST /v1.41/commit?container={id}&pause=False&changes={labels}",
        f"POST {_COMMIT}",
        f"POST {_COMMIT}CMD+evil",
        f"POST {_COMMIT}ENTRYPOINT+evil%0A{{labels}}",
        f"POST {_COMMIT}{{labels}}%0AENTRYPOINT+evil",
        f"POST {_COMMIT}{{labels}}&repo=web&tag=latest",
        f"POST {_COMMIT}{{labels}}&changes=CMD+evil",
        f"POST {_COMMIT}{{labels}}&container=web-1",
        f"POST {_COMMIT}{{labels}}&author=x",
        f"POST {_COMMIT}LABEL+team%3D%0A{{labels}}",
        f"POST {_COMMIT}LABEL+com.docker.compose.project%3Dshop%0A{{labels}}",
        f"POST {_COMMIT}LABEL+com.docker.compose.projects%3D%0A{{labels}}",
        f"POST {_COMMIT}LABEL+comXdocker.compose.project%3D%0A{{labels}}",
        f"POST {_COMMIT}{_LABEL}protected%3D%0A{{labels}}",
        f"POST {_COMMIT}{_LABEL}was.project%3Dshop%0A{{labels}}",
        f"POST {_COMMIT}{_LABEL}was.project%3D{'0' * 130}%0A{{labels}}",
        f"POST {_COMMIT}{_LABEL}was.project%3D00%0A{_LABEL}was.project%3D00%0A{{labels}}",
        f"POST {_COMMIT}{{labels}}%0A{{labels}}",
        f"POST {_COMMIT}{_LABEL}source%3D{{id}}",
        f"POST {_COMMIT}{_LABEL}request-id%3D{REQUEST}+evil%3D1%0A{_LABEL}source%3D{{id}}",
    ),
    "a way around the pattern": (
        "POST /v1.41/containers/{id}/stop/../exec",
        "GET /v1.41/containers/json/../../volumes",
        "GET /v1.41//volumes",
        "GET //v1.41/info",
        "GET /v1.41/info/",
        "GET /v1.41/info%00",
        "GET /v1.41/INFO",
        "GET /v2.41/info",
        "GET /v1.41x/info",
        "GET /v1.41/images/../containers/{id}/logs/json",
        "GET /v1.41/images/x/../../volumes/json",
        "GET /v1.41/images/%2e%2e/volumes/json",
        "GET /v1.41/images/x%2f..%2fvolumes/json",
        "GET /v1.41/containers/{id}/archive%3fx/json",
        "GET http://evil/v1.41/volumes",
        "GET http://evil/v1.41/info",
    ),
    "another method": (
        "HEAD /version",
        "POST /version",
        "PUT /v1.41/containers/{id}/stop?t=10",
        "GET /v1.41/containers/{id}/stop?t=10",
        "DELETE /v1.41/containers/{id}/json",
        "PATCH /v1.41/info",
        "OPTIONS /v1.41/info",
        "TRACE /v1.41/info",
        "EVIL /v1.41/info",
        "get /v1.41/info",
    ),
}


def of(call: str, container: str, image: str = "") -> str:
    """Fill the gaps of a call."""
    for gap, value in {**_GAPS, "{id}": container, "{image}": image}.items():
        call = call.replace(gap, value)
    return call
