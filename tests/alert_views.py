"""Example pages of the alerts, and walls with alarms: ordinary, nothing, many, held."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from forecast.board import Alarm, Board
from forecast.pages import AlarmLine, AlertSetting, AlertsView, Indicator, Measured, RecipientView, RuleView, Tension
from tests.boards import MADE_AT, ordinary, stale

MIN = timedelta(minutes=1)
CROWDED = Alarm(
    name="crowded-20261124T133000Z", rule="crowded", name_fr="Urgences pleines", name_en="Crowded department",
    level="alert", raised_at=MADE_AT - 4 * MIN, sentence_fr="6 chances sur 10 de dépasser 60 présents avant 21 h 30",
    sentence_en="6 in 10 to exceed 60 present before 21:30", p=0.62,
    first=(MADE_AT + 70 * MIN, MADE_AT + 130 * MIN, MADE_AT + 290 * MIN), worst=(52.0, 61.0, 70.0),
    worst_at=MADE_AT + 260 * MIN, threshold=60.0, told=("shift_lead",),
)  # fmt: skip
BOARDERS = replace(
    CROWDED, name="boarders-20261124T114000Z", rule="boarders", name_fr="Trop de patients en attente d'un lit",
    name_en="Too many waiting for a bed", raised_at=MADE_AT - 110 * MIN,
    sentence_fr="Dès maintenant plus de 11 patients en attente d'un lit",
    sentence_en="Now already more than 11 waiting for a bed", p=0.97, is_now=True, worst=(12.0, 14.0, 19.0),
    acknowledged_by="Dr Lemaire, cadre de garde", acknowledged_at=MADE_AT - 95 * MIN,
    note="deux lits demandés en chirurgie", told=("shift_lead", "bed_manager"), threshold=11.0,
)  # fmt: skip
SHORT_STAY = replace(
    CROWDED, name="short_stay_full", rule="short_stay_full", name_fr="UHCD saturée", name_en="Short-stay unit full",
    level="watch", sentence_fr="5 chances sur 10 de n'avoir aucun lit libre en UHCD avant 21 h 30",
    sentence_en="5 in 10 to have no bed free in UHCD before 21:30", p=0.48, told=(), worst=(0.0, 0.0, 2.0),
)  # fmt: skip
WARDS = replace(SHORT_STAY, rule="wards_full", name="wards_full", name_fr="Services saturés", name_en="Wards full")

SETTING = AlertSetting(
    MADE_AT - timedelta(hours=9), 56.0, 1.0,
    Measured("edtwin", 0.45, 8, 10, (0.8, 0.55, 0.95), (0.9, 0.4, 1.5), (62.0, 35.0, 110.0)),
    (
        Measured("persistence", 0.9, 4, 10, (0.4, 0.15, 0.7), (1.0, 0.4, 1.6), (20.0, 10.0, 45.0)),
        Measured("climatology", None, 0, 10, None, None, None),
        Measured("anomaly_persistence", 0.7, 6, 10, (0.6, 0.3, 0.85), (1.0, 0.5, 1.6), (45.0, 20.0, 75.0)),
        Measured("count_model", 0.62, 6, 10, (0.6, 0.3, 0.85), (1.0, 0.4, 1.7), (40.0, 20.0, 90.0)),
    ),
)  # fmt: skip
RULES = (
    RuleView("crowded", "Urgences pleines", "Crowded department", "alert", CROWDED.sentence_fr, CROWDED.sentence_en,
             0.62, 0.45, 1.0, SETTING),
    RuleView("boarders", "Trop de patients en attente d'un lit", "Too many waiting for a bed", "alert",
             BOARDERS.sentence_fr, BOARDERS.sentence_en, 0.97, 0.4, 1.0),
    RuleView("short_stay_full", "UHCD saturée", "Short-stay unit full", "watch", SHORT_STAY.sentence_fr,
             SHORT_STAY.sentence_en, 0.48, 0.7),
    RuleView("unseen", "Trop de patients pas encore vus", "Too many not yet seen", "normal", None, None, None, 0.4,
             1.0),
)  # fmt: skip
LOG = (
    AlarmLine(MADE_AT - 4 * MIN, "Urgences pleines", "Crowded department", "raised", "alert", "shift_lead", None,
              CROWDED.sentence_fr, CROWDED.sentence_en),
    AlarmLine(MADE_AT - 95 * MIN, "Trop de patients en attente d'un lit", "Too many waiting for a bed", "acknowledged",
              "alert", "Dr Lemaire, cadre de garde", "deux lits demandés en chirurgie", None, None),
    AlarmLine(MADE_AT - 96 * MIN, "Trop de patients en attente d'un lit", "Too many waiting for a bed", "escalated",
              "alert", "bed_manager", None, None, None),
    AlarmLine(MADE_AT - 110 * MIN, "Trop de patients en attente d'un lit", "Too many waiting for a bed", "raised",
              "alert", "shift_lead", None, BOARDERS.sentence_fr, BOARDERS.sentence_en),
    AlarmLine(MADE_AT - 300 * MIN, "UHCD saturée", "Short-stay unit full", "snoozed", "alert", "Cadre UHCD", None, None,
              None, MADE_AT - 240 * MIN),
    AlarmLine(MADE_AT - 400 * MIN, "Urgences pleines", "Crowded department", "cleared", "normal", "", None, None, None),
)  # fmt: skip
RECIPIENTS = (
    RecipientView("shift_lead", "email", 14, 0, 0),
    RecipientView("bed_manager", "webhook", 3, 1, 2, "the webhook answered 503"),
)


TENSION = Tension(
    indicators=(
        Indicator("het1", 14.0, 1.4, (3.0, 8.0, 15.0), 2.3),
        Indicator("het2", 131.0, 0.6, (112.0, 128.0, 145.0), 0.4),
        Indicator("het3", 611.0, 1.8, None, None, "simulated"),
        Indicator("het4", 0.21, 0.2, (0.17, 0.2, 0.24), 0.0),
        Indicator("het5", 52.0, 2.4, (44.0, 55.0, 66.0), 2.9),
        Indicator("het6", None, None, None, None, "ages"),
    ),
    nedocs=118.3, nedocs_category="overcrowded", nedocs_worst=(120.0, 141.0, 163.0), nedocs_lacks=None,
    bjml=21.0, bjml_years=3, bjml_offered=(18.0, 25.0, 33.0), bjml_p_missed=0.23, bjml_lacks=None,
    elderly=2.4, elderly_p=0.91, elderly_lacks=None,
)  # fmt: skip


def ordinary_alerts() -> AlertsView:
    """An alarm that nobody has taken on, one that somebody has, a watch."""
    return AlertsView(
        MADE_AT, "Europe/Paris", "Centre hospitalier de Valmont", "live", (CROWDED, BOARDERS, SHORT_STAY), RULES, LOG,
        RECIPIENTS, MADE_AT - 4 * MIN, tension=TENSION,
    )  # fmt: skip


def no_alerts() -> AlertsView:
    """Nothing is on, nobody is told; a replay."""
    quiet = tuple(replace(rule, level="normal") for rule in RULES)
    return replace(ordinary_alerts(), mode="replay", alarms=(), rules=quiet, log=(), recipients=(), sends=False)


def held_alerts() -> AlertsView:
    """The feed is stale: what was on stays on."""
    return replace(ordinary_alerts(), held=True)


def crowded_alerts() -> AlertsView:
    """Everything is on, in long words, and the log is long."""
    at = enumerate((CROWDED, BOARDERS, SHORT_STAY, WARDS) * 2)
    alarms = tuple(replace(one, name=f"{one.name}-{k}", name_fr=f"{one.name_fr} du bâtiment {k}") for k, one in at)
    sent = tuple(replace(RECIPIENTS[1], name=f"bed_manager_of_building_{k}") for k in range(9))
    return replace(ordinary_alerts(), alarms=alarms, log=LOG * 6, recipients=sent)


ALERTS: dict[str, Callable[[], AlertsView]] = {
    "ordinary": ordinary_alerts, "nothing": no_alerts, "held": held_alerts, "crowded": crowded_alerts,
}  # fmt: skip


def alarmed(board: Board | None = None) -> Board:
    """A wall with one alarm."""
    return replace(board or ordinary(), alarms=(CROWDED,))


def alarmed_more() -> Board:
    """A wall with more alarms than it has room for, and a banner."""
    return replace(stale(), alarms=(CROWDED, BOARDERS, SHORT_STAY, WARDS))


ALARMED: dict[str, Callable[[], Board]] = {"alarm": alarmed, "alarms": alarmed_more}
