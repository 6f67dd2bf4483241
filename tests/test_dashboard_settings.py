"""Every setting once: defaults, a site's file, options that win over it, and the table in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.house import site_of
from dashboard.serve import _wall
from dashboard.settings import Settings, load_settings
from ingest.errors import ConfigurationError

README = Path(__file__).parents[1] / "dashboard" / "README.md"


def row(name: str) -> str:
    """A setting as the README's table has it."""
    field = Settings.model_fields[name]
    return f"| `{name}` | {written(field.default)} | {field.description} |"


def written(default: object) -> str:
    if default is None:
        return "none"
    if isinstance(default, tuple):
        return ", ".join(default) or "none"
    return f"{default:g}" if isinstance(default, float) else str(default)


def rows(text: str) -> list[str]:
    """The rows of the table of settings in a text."""
    table = text.split("| setting | default | what it is |\n|---|---|---|\n")[1].split("\n\n")[0]
    return table.splitlines()


def test_the_readme_has_every_setting_with_its_default_and_what_it_is() -> None:
    assert rows(README.read_text(encoding="utf-8")) == [row(name) for name in Settings.model_fields]


def test_a_table_that_lags_behind_is_seen() -> None:
    text = README.read_text(encoding="utf-8").replace("| 8050 |", "| 8051 |")
    assert rows(text) != [row(name) for name in Settings.model_fields]


def test_the_example_of_the_readme_is_sound(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    (tmp_path / "edtwin.toml").write_text(text.split("```toml\n# edtwin.toml\n")[1].split("```")[0], encoding="utf-8")
    assert load_settings(tmp_path / "edtwin.toml").port == 8080


def test_an_option_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('members = 50\nport = 9000\nhospital = "h.toml"\n')
    settings = load_settings(tmp_path / "site.toml", port=8000, host=None)
    assert (settings.members, settings.port, settings.host) == (50, 8000, "127.0.0.1")


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text('data = "d"\nhospital = "h.toml"\n')
    settings = load_settings(tmp_path / "site.toml")
    assert (settings.data, settings.hospital, settings.scenarios) == (tmp_path / "d", tmp_path / "h.toml", None)
    assert load_settings(tmp_path / "site.toml", data=Path("here")).data == Path("here")
    (tmp_path / "site.toml").write_text('outside = ["flu.csv", "heat.csv"]\n')
    assert load_settings(tmp_path / "site.toml").outside == (tmp_path / "flu.csv", tmp_path / "heat.csv")


def test_what_is_around_the_hospital_can_be_set_beside_its_file() -> None:
    found = site_of(Settings(holidays="FR-57", school_zone="B", outside=(Path("flu.csv"),))).hospital
    assert (found.holidays, found.school_zone, found.outside) == ("FR-57", "B", ("flu.csv",))
    assert site_of(Settings()).hospital.school_zone == ""


@pytest.mark.parametrize("text", ["8", "24:00", "8:60", "8 h"])
def test_a_huddle_hour_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(f'huddle_at = ["{text}"]\n')
    with pytest.raises(ConfigurationError, match="huddle_at"):
        load_settings(tmp_path / "site.toml")


@pytest.mark.parametrize("place", ["local", "dask://127.0.0.1:8786", "dask://localhost:8786", "dask://[::1]:8786"])
def test_members_run_here_or_on_a_cluster_of_this_machine(place: str) -> None:
    assert load_settings(None, executor=place).executor == place


@pytest.mark.parametrize("place", ["dask", "dask://far", "http://127.0.0.1:8786", "dask://127.0.0.1:8786/x", ""])
def test_a_place_to_run_members_at_that_cannot_be_is_refused(place: str) -> None:
    with pytest.raises(ConfigurationError, match="executor: string should match pattern"):
        load_settings(None, executor=place)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_need_not_be_told_twice(host: str) -> None:
    assert load_settings(None, host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "wall.example", ""])
def test_an_address_that_others_reach_is_told_twice(host: str) -> None:
    """Even as a name: what it leads to may change."""
    with pytest.raises(ConfigurationError, match="host must be of this machine"):
        load_settings(None, host=host)
    assert load_settings(None, host=host, host_allow_insecure=True).host == host


def test_leave_alone_opens_nothing() -> None:
    assert load_settings(None, host_allow_insecure=True).host == "127.0.0.1"


def test_a_cluster_elsewhere_needs_tls_or_leave_to_do_without(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(
        'executor = "tls://far:8786"\nexecutor_ca = "a.pem"\nexecutor_cert = "c.pem"\nexecutor_key = "k.pem"\n'
    )
    assert load_settings(tmp_path / "site.toml").executor_ca == tmp_path / "a.pem"
    assert load_settings(None, executor="dask://far:8786", executor_allow_insecure=True).executor == "dask://far:8786"


@pytest.mark.parametrize(
    ("charts", "fault"),
    [
        ('["beds"]', "wall_charts.0: must be 'waiting', 'boarding', 'free_beds' or 'arrivals', but is 'beds'"),
        ('["waiting", "waiting"]', "wall_charts: each must be named once, but is ['waiting', 'waiting']"),
        (
            '["waiting", "boarding", "free_beds", "arrivals"]',
            "wall_charts: there must be 3 at most, but is ['waiting', 'boarding', 'free_beds', 'arrivals']",
        ),
    ],
)
def test_what_cannot_stand_below_the_census_is_refused_with_its_line(charts: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(f"port = 80\nwall_charts = {charts}\n")
    with pytest.raises(ConfigurationError) as told:
        load_settings(file)
    assert told.value.faults == (f"{file}:2: {fault}",)


def test_what_stands_below_the_census_can_be_chosen(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text('wall_charts = ["arrivals", "waiting"]\n')
    assert load_settings(file).wall_charts == ("arrivals", "waiting")
    assert load_settings(None, wall_charts=()).wall_charts == ()
    assert _wall(load_settings(file), is_exercise=False).charts == ("arrivals", "waiting")


def test_every_fault_of_a_file_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text('members = 1\nlanguage = "de"\nprot = 80\n')
    with pytest.raises(ConfigurationError) as told:
        load_settings(file)
    faults = sorted(fault.removeprefix(f"{file}:") for fault in told.value.faults)
    assert [fault.split(":")[:2] for fault in faults] == [["1", " members"], ["2", " language"], ["3", " prot"]]
    assert "likely a typo for port" in faults[2]


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        ({"members": 1}, "members: must be 2 or more, but is 1"),
        ({"every_min": 0.0}, "every_min: must be more than 0, but is 0.0"),
        ({"horizon_h": 0.1}, "horizon_h must be whole steps of 15 min (step_min), but is 0.1 h"),
        ({"horizon_h": 100.0}, "horizon_h: must be 72 or less, but is 100.0"),
        (
            {"executor": "tls://far:8786"},
            "executor_ca, executor_cert and executor_key must be given where executor is tls://..",
        ),
        (
            {"host": "0.0.0.0"},
            "host must be of this machine, since nobody signs in and nothing is encrypted (or be with access, "
            "access_url and access_proxies, or with host_allow_insecure, on a closed network or behind a proxy that "
            "asks), but is 0.0.0.0",
        ),
        (
            {"executor": "dask://10.1.2.3:8786"},
            "executor must be tls://host:port beyond this machine (or be with executor_allow_insecure), "
            "but is dask://10.1.2.3:8786",
        ),
    ],
)
def test_an_option_out_of_bounds_is_told_like_a_fault_of_the_file(options: dict[str, object], rule: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        load_settings(None, **options)
    assert told.value.faults == (rule,)
