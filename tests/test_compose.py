"""docker-compose.yml without an engine: its schema, its settings, its safety, and each service's command run here.

What is run is what the file says, with the places of a container put in this machine's: broker, folder, port. The
images themselves are not built.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from kafka import KafkaConsumer, TopicPartition
from ruamel.yaml import YAML

from dashboard.settings import Settings, load_settings
from ingest.errors import ConfigurationError
from tests.kafka_broker import LEAKY, VERSION, Broker, free_ports, missing, run_java
from tests.test_dashboard_serve import get, wait_for, wall

pytestmark = LEAKY
ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("site", "demo", "feeder")
TOMLS = [name for name in COMPOSE["configs"] if name != "caddy"]
QUICK = "members = 4\nworkers = 1\nmeasure_days = 0\nalert_days = 0\nhorizon_h = 6\nhistory_days = 11\n"
TOOLS = {
    "/opt/kafka/bin/kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "/opt/kafka/bin/kafka-broker-api-versions.sh": "org.apache.kafka.tools.BrokerApiVersionsCommand",
}


def toml(name: str) -> str:
    """A configuration as the container gets it."""
    return cast(str, COMPOSE["configs"][name]["content"])


# --------------------------------------------------------------------------------------------------- what it says


def valid(file: Path) -> bool:
    tool = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    return subprocess.run(tool, capture_output=True, check=False).returncode == 0


def test_it_is_of_the_compose_specification(tmp_path: Path) -> None:
    assert valid(FILE)
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(FILE.read_text(encoding="utf-8").replace("read_only: true", "readonly: true"))
    assert not valid(wrong), "the mutant: a word that is not of the specification"


@pytest.mark.parametrize("name", TOMLS)
def test_its_settings_are_of_the_table_of_settings(name: str, tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(toml(name))
    assert isinstance(load_settings(tmp_path / "c.toml"), Settings)
    (tmp_path / "c.toml").write_text(toml(name).replace("kafka_allow_insecure", "kafka_insecure"))
    with pytest.raises(ConfigurationError, match="kafka_insecure: unknown key"):
        load_settings(tmp_path / "c.toml")


def test_each_command_gets_the_configuration_that_it_names() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert service["command"][-2:] == ["--config", service["configs"][0]["target"]]
        assert service["configs"][0]["source"] in TOMLS
        told = tomllib.loads(toml(service["configs"][0]["source"]))
        folders = [told[name] for name in ("data", "backup_folder") if name in told]
        assert [volume.split(":")[1] for volume in service["volumes"]] == folders
        assert {volume.split(":")[0] for volume in service["volumes"]} <= set(COMPOSE["volumes"])


def test_only_the_demonstration_says_that_it_is_fabricated() -> None:
    """The wall of the demonstration must say so, a site's must not, and both read what is written beside them."""
    site, demo = (tomllib.loads(toml(name)) for name in ("site", "demo"))
    assert demo.pop("fabricated") is True
    assert demo.pop("every_min") < 10
    assert site == demo
    assert SERVICES["feeder"]["command"][1] == f"{site['kafka_brokers'][0]}/ed.events"


def faults_of_safety(services: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What a service may that it need not."""
    found = [f"{name}: capabilities" for name, of in services.items() if of.get("cap_drop") != ["ALL"]]
    found += [
        f"{n}: new privileges" for n, of in services.items() if "no-new-privileges:true" not in of["security_opt"]
    ]
    found += [f"{name}: root" for name in OURS if not services[name].get("user", "0").strip("0")]
    found += [f"{name}: writes its root" for name in (*OURS, "proxy") if not services[name].get("read_only")]
    found += [f"{name}: no limits" for name, of in services.items() if not {"mem_limit", "pids_limit"} <= set(of)]
    found += [f"{name}: cores" for name, of in services.items() if of.get("ulimits", {}).get("core") != 0]
    found += [
        f"{name}: log" for name, of in services.items() if "max-size" not in of.get("logging", {}).get("options", {})
    ]
    found += [f"{name}: runs what is in /tmp" for name in OURS if "noexec" not in services[name]["tmpfs"][0]]
    found += [f"{name}: ports" for name, of in services.items() if name != "proxy" and "ports" in of]
    return found + [f"{n}: outside" for n, of in services.items() if n != "proxy" and "outside" in of["networks"]]


def test_a_service_may_no_more_than_it_must() -> None:
    assert faults_of_safety(SERVICES) == []
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    lax: dict[str, dict[str, Any]] = {**SERVICES, "demo": {**SERVICES["demo"], "user": "0", "ports": ["8050:8050"]}}
    assert faults_of_safety(lax) == ["demo: root", "demo: ports"]
    bare = {name: of for name, of in SERVICES["site"].items() if name not in ("mem_limit", "ulimits", "logging")}
    assert faults_of_safety({**SERVICES, "site": {**bare, "tmpfs": ["/tmp"]}}) == [
        "site: no limits", "site: cores", "site: log", "site: runs what is in /tmp",
    ]  # fmt: skip


def test_every_variable_is_told_at_the_top_of_the_file() -> None:
    text = FILE.read_text(encoding="utf-8")
    head = text[: text.index("name: edtwin")]
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    assert asked == {"EDTWIN_ADDRESS", "EDTWIN_BOARD_USER", "EDTWIN_BOARD_HASH"}
    assert all(f"#   {name}" in head for name in asked)


def test_the_image_copies_what_is_there_and_all_that_the_command_needs() -> None:
    docker = COMPOSE["x-app"]["build"]["dockerfile_inline"]
    copied = [source for line in re.findall(r"^COPY (.*)$", docker, re.MULTILINE) for source in line.split()[:-1]]
    assert all((ROOT / source).exists() for source in copied)
    assert {"ingest", "twin", "forecast", "dashboard", "requirements.lock", "pyproject.toml"} <= set(copied)
    assert "\nsetuptools==" in (ROOT / "requirements.lock").read_text(), "built without isolation"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {*re.findall(r'"(\w+\.?\w*)"', str(project.get("license-files"))), project["readme"]} <= {*copied, "LICENSE"}
    assert 'ENTRYPOINT ["edtwin"]' in docker
    assert "edtwin" in project["scripts"]


# ------------------------------------------------------------------------------------------ what it does, run here


@pytest.fixture(scope="module")
def compose_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The broker of the file: its environment as the image makes properties of it, on ports of this machine."""
    if why_not := missing():
        pytest.skip(why_not)
    folder, ports = tmp_path_factory.mktemp("compose") / "kafka", free_ports()
    environment = dict(SERVICES["kafka"]["environment"])
    cluster_id = environment.pop("CLUSTER_ID")
    assert SERVICES["kafka"]["image"] == SERVICES["topics"]["image"] == f"apache/kafka:{VERSION}"
    places = {"kafka:19092": f"127.0.0.1:{ports[0]}", "://:19092": f"://127.0.0.1:{ports[0]}",
              "kafka:9093": f"127.0.0.1:{ports[2]}", "://:9093": f"://127.0.0.1:{ports[2]}",
              "/var/lib/kafka/data": "logs"}  # fmt: skip
    properties = [f"{_property(name)}={_put(value, places)}" for name, value in environment.items()]
    broker = Broker(folder, ports, cluster_id, properties="\n".join(properties))
    broker.format()
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


def _property(variable: str) -> str:
    """KAFKA_LOG_DIRS is log.dirs."""
    return variable.removeprefix("KAFKA_").lower().replace("_", ".")


def _put(text: str, places: Mapping[str, str]) -> str:
    for there, here in places.items():
        text = text.replace(there, here)
    return text


def run_tool(broker: Broker, line: str) -> str:
    """A line of a Kafka script, by the class that the script runs."""
    script, *options = line.replace("kafka:19092", broker.address).split()
    return run_java(broker.folder, TOOLS[script], *options)


@pytest.fixture(scope="module")
def topics(compose_broker: Broker) -> Broker:
    """The broker with its topics, made twice as after a restart."""
    script = SERVICES["topics"]["command"][0].replace("$$topic ", "$topic ")
    name, line = re.match(r'(\w+)="(.*)"\n', script).groups()  # type: ignore[union-attr]
    for _ in range(2):
        for rest in re.findall(rf"^\${name} (.*)$", script, re.MULTILINE):
            run_tool(compose_broker, f"{line} {rest}")
    return compose_broker


def test_the_broker_answers_its_health_check_and_has_its_topics(topics: Broker) -> None:
    check = SERVICES["kafka"]["healthcheck"]["test"]
    assert topics.address in run_tool(topics, " ".join(check[1:]))
    with topics.admin() as admin:
        partitions = {t["name"]: len(t["partitions"]) for t in admin.describe_topics(["ed.events", "edtwin.forecasts"])}
    assert partitions == {"ed.events": 3, "edtwin.forecasts": 1}


@contextmanager
def running(service: str, home: Path, places: Mapping[str, str], *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A service's command with its configuration, here."""
    home.mkdir()
    config = home / "config.toml"
    folders = {f'"/{name}"': f'"{home / name}"' for name in ("data", "backups")}
    config.write_text(_put(toml(service), {**places, **folders, "every_min = 3": "every_min = 0.1"}))
    with config.open("a") as file:
        file.write(QUICK)
    target = SERVICES[service]["configs"][0]["target"]
    told = [_put(word, {**places, target: str(config)}) for word in SERVICES[service]["command"]]
    command = [sys.executable, "-m", "dashboard", *told, *options]
    with (home / "said").open("wb") as said:
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said, start_new_session=True)
    try:
        yield process
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(40) in (0, 130), (home / "said").read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def test_the_demonstration_runs_from_the_feeder_to_the_phone(topics: Broker, tmp_path: Path) -> None:
    """The fabricated hospital comes through Kafka, is forecast, published, and seen behind the proxy."""
    port = free_ports()[0]
    places = {"kafka:19092": topics.address, "8050": str(port), "0.0.0.0": "127.0.0.1"}
    place = f"http://127.0.0.1:{port}"
    small = ("--size", "small", "--days", "11")
    with running("feeder", tmp_path / "feeder", places, *small), running("demo", tmp_path / "demo", places) as process:
        wait_for(lambda: get(f"{place}/readyz")[0] == 200, process, 90)
        healthy = [sys.executable, *(_put(word, places) for word in SERVICES["demo"]["healthcheck"]["test"][2:])]
        assert subprocess.run(healthy, check=False, timeout=20).returncode == 0
        assert "FABRICATED" in json.dumps(wall(place)).upper()
        forecast = published(topics)
        assert set(forecast) == {"issued_at", "as_of", "known_at", "scenarios", "differences", "provenance"}
        assert json.loads((tmp_path / "feeder" / "data" / "sent.json").read_text())["sent"] > 4_000
        if shutil.which("caddy"):
            behind_the_proxy(tmp_path, f"127.0.0.1:{port}")


@pytest.mark.soak
def test_a_site_is_up_and_waits_for_the_events_of_its_hospital(topics: Broker, tmp_path: Path) -> None:
    """Its command as it stands: well by its health check, not ready before anything came, and no demonstration."""
    port, topic = free_ports()[0], topics.topic(partitions=3, name="site.events")
    places = {"kafka:19092": topics.address, "8050": str(port), "0.0.0.0": "127.0.0.1", "ed.events": topic}
    place = f"http://127.0.0.1:{port}"
    with running("site", tmp_path / "site", places) as process:
        wait_for(lambda: get(f"{place}/healthz")[0] == 200, process, 90)
        healthy = [sys.executable, *(_put(word, places) for word in SERVICES["site"]["healthcheck"]["test"][2:])]
        assert subprocess.run(healthy, check=False, timeout=20).returncode == 0
        assert get(f"{place}/readyz")[0] == 503
        assert "FABRICATED" not in json.dumps(wall(place)).upper()


def test_every_service_is_run_here() -> None:
    """By its own command, or, where only an image has it, by what the command runs."""
    text = Path(__file__).read_text(encoding="utf-8")
    run = {name for name in SERVICES if f'running("{name}"' in text or f'SERVICES["{name}"]["command"]' in text}
    assert run | {"kafka"} == set(SERVICES), "the broker of the file is the fixture's"


def published(broker: Broker) -> dict[str, Any]:
    """The first forecast on its topic."""
    consumer = KafkaConsumer(bootstrap_servers=broker.address, auto_offset_reset="earliest", group_id=None)
    consumer.assign([TopicPartition("edtwin.forecasts", 0)])
    try:
        for _ in range(60):
            for records in consumer.poll(1000).values():
                return cast(dict[str, Any], json.loads(records[0].value))
        pytest.fail("no forecast was published")
    finally:
        consumer.close()


def behind_the_proxy(folder: Path, upstream: str) -> None:
    """The wall over TLS to who has the password, and to nobody else."""
    caddyfile, port = folder / "Caddyfile", free_ports()[0]
    caddyfile.write_text(toml("caddy").replace("$$", "$").replace("{$", "{$"))
    made = subprocess.run(
        ["caddy", "hash-password", "--plaintext", "night"], capture_output=True, text=True, check=True
    )
    names = {"SITE_ADDRESS": f"https://localhost:{port}", "WALL": upstream, "BOARD_USER": "board",
             "BOARD_HASH": made.stdout.strip(), "XDG_DATA_HOME": str(folder / "caddy")}  # fmt: skip
    with (folder / "caddy.said").open("wb") as said:
        target = SERVICES["proxy"]["configs"][0]["target"]
        command = [_put(word, {target: str(caddyfile)}) for word in SERVICES["proxy"]["command"]]
        process = subprocess.Popen(command, env={**os.environ, **names}, stdout=said, stderr=said)
    try:
        asked = [("board", "night", 200), ("board", "day", 401), ("", "", 401)]
        for user, password, status in asked:
            wait_for(lambda u=user, p=password, s=status: through(port, u, p) == s, process, 20)  # type: ignore[misc]
    finally:
        process.kill()
        process.wait(10)


def through(port: int, user: str, password: str) -> int:
    """The status that a phone gets; the proxy's own authority is not known here, so its certificate is not checked."""
    import ssl
    from base64 import b64encode
    from http.client import HTTPSConnection

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection("localhost", port, timeout=5, context=context)
    try:
        told = {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()} if user else {}
        connection.request("GET", "/healthz", headers=told)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
