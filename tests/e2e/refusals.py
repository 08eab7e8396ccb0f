"""Run inside the scheduler's container: what it may not ask of the engine. Prints JSON: what, and whether it was refused."""

import json
import os
import sys

import docker
from docker.errors import APIError

other = sys.argv[1]
client = docker.APIClient(os.environ["DOCKER_URL"], version="auto")
image = os.environ["LAKEJOBS_IMAGE"]


def create(**host):
    return client.create_container(image, host_config=client.create_host_config(**host))


asked = {
    "-v /:/host": lambda: create(binds=["/:/host"]),
    "--mount /": lambda: create(mounts=[docker.types.Mount("/opt/lakejobs/data", "/", "bind")]),
    "--privileged": lambda: create(privileged=True),
    "--pid host": lambda: create(pid_mode="host"),
    "--network host": lambda: create(network_mode="host"),
    "--cap-add": lambda: create(cap_add=["SYS_ADMIN"]),
    "--device": lambda: create(devices=["/dev/null:/dev/null:rwm"]),
    "--user root": lambda: client.create_container(image, user="0:0"),
    "--entrypoint": lambda: client.create_container(image, entrypoint=["sh"]),
    "another image": lambda: client.create_container("postgres:17-bookworm"),
    "exec": lambda: client.exec_create(other, ["true"]),
    "build": lambda: client.post(client.base_url + "/build").raise_for_status(),
    "pull": lambda: client.pull("alpine"),
    "volume create": lambda: client.create_volume("x"),
    "network create": lambda: client.create_network("x"),
    "list": lambda: client.containers(),
    "stop another's": lambda: client.stop(other),
    "read another's": lambda: client.inspect_container(other),
    "attach to another's": lambda: client.attach(other, stream=True, logs=True),
    "read a file": lambda: client.get_archive(other, "/etc/passwd"),
}


def posted(data):
    return client.post(f"{client.base_url}/containers/create", data=data, headers={"Content-Type": "application/json"})


# Not refused, but wrong, or not there.
others = {
    "400: nested 200,000 deep": lambda: posted('{"Image":' + "[" * 200_000 + "]" * 200_000 + "}").raise_for_status(),
    "400: no JSON": lambda: posted("{").raise_for_status(),
    "404: a container that is gone": lambda: client.remove_container("0" * 64, force=True),
}
asked |= {
    f"environment {name}": lambda name=name: client.create_container(image, environment={name: "x"})
    for name in ("NODE_OPTIONS", "LD_PRELOAD", "AWS_CONFIG_FILE", "POSTGRES_PASSWORD_COMMAND", "LAKEJOBS_RUNNER")
}
result = {}
for what, ask in {**asked, **others}.items():
    try:
        ask()
        result[what] = "done"
    except APIError as error:
        result[what] = error.response.status_code
    except Exception as error:  # raised by requests itself
        result[what] = getattr(getattr(error, "response", None), "status_code", repr(error))
print(json.dumps(result))
