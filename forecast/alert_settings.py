"""What every forecast said of every rule, and the chance that each rule was set to from it, kept in the archive."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from math import isfinite
from typing import Any

import pyarrow as pa

from forecast.alert_chances import Chance
from forecast.pages import AlertSetting, Measured
from ingest.database import Database, aware, naive

_KEEP = "INSERT INTO alert_chance BY NAME SELECT * FROM incoming"
_SET = "INSERT INTO alert_setting BY NAME SELECT * FROM incoming"
_CHANCES = pa.schema(
    [("as_of", pa.timestamp("us")), ("rule", pa.string()), ("threshold", pa.float64()), ("p", pa.float64()),
     ("rivals", pa.map_(pa.string(), pa.float64()))]
)  # fmt: skip
_SETTINGS = pa.schema(
    [("rule", pa.string()), ("set_at", pa.timestamp("us")), ("p_alert", pa.float64()), ("told", pa.string())]
)


@dataclass(frozen=True)
class Said:
    """What one forecast said of one rule."""

    as_of: datetime
    threshold: float
    p: float
    rivals: Mapping[str, float]


class AlertSettings:
    """Chances that were said, and the settings that came of them; `p_alert` is what counts now, by rule."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self.settings = self._read()
        self.p_alert = _counting(self.settings)

    def keep(self, as_of: datetime, chances: Mapping[str, Chance], rivals: Mapping[str, Mapping[str, float]]) -> None:
        """Keep what a forecast said."""
        rows = [
            {"as_of": naive(as_of), "rule": name, "threshold": one.threshold, "p": one.p,
             "rivals": [(rival, p) for rival, p in rivals.get(name, {}).items() if isfinite(p)]}
            for name, one in chances.items()
        ]  # fmt: skip
        self._insert(_KEEP, pa.Table.from_pylist(rows, _CHANCES))

    def said(self, rule: str, since: datetime, until: datetime) -> list[Said]:
        """What forecasts of [since, until) said of a rule, the oldest first."""
        found = self._database.cursor().sql(
            "SELECT * FROM alert_chance WHERE rule = ? AND as_of >= ? AND as_of < ? ORDER BY as_of",
            params=[rule, naive(since), naive(until)],
        ).to_arrow_table()  # fmt: skip
        return [Said(aware(row["as_of"]), row["threshold"], row["p"], dict(row["rivals"])) for row in found.to_pylist()]

    def set(self, found: Mapping[str, AlertSetting]) -> None:
        """From now on these count."""
        rows = [
            {"rule": name, "set_at": naive(one.set_at), "p_alert": one.own.p_alert, "told": _as_text(one)}
            for name, one in found.items()
        ]
        self._insert(_SET, pa.Table.from_pylist(rows, _SETTINGS))
        with self._lock:
            self.settings = {**self.settings, **found}
            self.p_alert = _counting(self.settings)

    def _read(self) -> dict[str, AlertSetting]:
        found = self._database.cursor().sql(
            "SELECT rule, arg_max(told, set_at) AS told FROM alert_setting GROUP BY rule ORDER BY rule"
        ).to_arrow_table()  # fmt: skip
        return {row["rule"]: _from_text(row["told"]) for row in found.to_pylist()}

    def _insert(self, statement: str, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        with self._database.transaction() as cursor:
            cursor.register("incoming", rows)
            cursor.execute(statement)
            cursor.unregister("incoming")


def _counting(settings: Mapping[str, AlertSetting]) -> dict[str, float]:
    return {name: one.own.p_alert for name, one in settings.items() if one.own.p_alert is not None}


def _as_text(setting: AlertSetting) -> str:
    return json.dumps({**asdict(setting), "set_at": setting.set_at.isoformat()}, allow_nan=False)


def _from_text(text: str) -> AlertSetting:
    told: dict[str, Any] = json.loads(text)
    return AlertSetting(
        datetime.fromisoformat(told["set_at"]), told["days"], told["false_a_week"], _measured(told["own"]),
        tuple(_measured(rival) for rival in told["rivals"]),
    )  # fmt: skip


def _measured(told: Mapping[str, Any]) -> Measured:
    return Measured(
        told["name"], told["p_alert"], told["hits"], told["events"], _three(told["hit_rate"]),
        _three(told["false_a_week"]), _three(told["notice_min"]),
    )  # fmt: skip


def _three(values: Sequence[float] | None) -> tuple[float, float, float] | None:
    if values is None:
        return None
    middle, low, high = values
    return middle, low, high
