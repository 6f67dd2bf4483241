"""What a scenario changes, in words: one short line a change, in French and in English."""

from __future__ import annotations

from datetime import datetime, timedelta

from ingest.clock import local
from twin.changes import (
    EVERY_WARD,
    LARGEST_WARDS,
    PROFESSION,
    AbsenceChange,
    ArrivalsChange,
    CapacityChange,
    CrisisChange,
    DischargeChange,
    DurationChange,
    Of,
    RouteChange,
    SupplyChange,
    Windowed,
)
from twin.hospital import BED, SPACE, Hospital
from twin.scenarios import Scenario
from twin.supply_file import Supplies

Both = tuple[str, str]
"""In French and in English."""
MINUS = "\N{MINUS SIGN}"
_PROFESSIONS = {
    "doctor": ("médecins", "doctors"), "nurse": ("infirmiers", "nurses"), "porter": ("brancardiers", "porters"),
    "cleaner": ("agents de bionettoyage", "cleaners"), "technician": ("techniciens", "technicians"),
    "radiographer": ("manipulateurs radio", "radiographers"), "clerk": ("agents d'accueil", "clerks"),
}  # fmt: skip
_DURATIONS = {
    "laboratory": ("délai du laboratoire", "laboratory results"), "imaging": ("examens d'imagerie", "imaging"),
    "imaging_report": ("comptes rendus d'imagerie", "imaging reports"), "triage": ("tri", "triage"),
    "bed_cleaning": ("nettoyage des lits", "bed cleaning"), "ward_stay": ("séjours en service", "ward stays"),
    "decision": ("décisions médicales", "medical decisions"), "reception": ("accueil", "reception"),
    "transport": ("brancardage", "transport"), "bed_search": ("recherche de lit", "search for a bed"),
    "care_home": ("soins avant le retour à domicile", "care before going home"),
    "care_admit": ("soins avant l'hospitalisation", "care before admission"),
}  # fmt: skip


def changes_said(scenario: Scenario, hospital: Hospital, supplies: Supplies, now: datetime) -> list[Both]:
    """Each change with its window, minutes being counted from an instant; units and services as the site calls them."""
    zone = hospital.zone
    return [
        _with_window(_said(change, hospital, supplies), change, now, zone)
        for change in scenario.at(now, zone).change.changes
    ]


def _said(change: Windowed, hospital: Hospital, supplies: Supplies) -> Both:
    match change:
        case CapacityChange():
            return _capacity(change, hospital)
        case AbsenceChange():
            fr, en = _pool(change.pool, hospital)
            return f"{fr} : {change.share:.0%} absents".replace("%", " %"), f"{en}: {change.share:.0%} away"
        case ArrivalsChange():
            what = ("entrées programmées", "planned admissions") if change.planned else ("arrivées", "arrivals")
            return _each(what, f"{change.factor:.0%}", _of(change))
        case CrisisChange():
            n = change.patients * change.clusters
            return f"{n} victimes ou malades de plus", f"{n} more victims or patients"
        case DurationChange():
            return _each(_DURATIONS.get(change.duration, _plain(change.duration)), f"× {change.factor:g}", _of(change))
        case RouteChange():
            value = f"{change.value:.0%}" if change.value is not None else f"cotes × {change.odds:g}"
            return _each(_plain(change.share), value, _of(change))
        case DischargeChange():
            return _discharges(change)
        case SupplyChange():
            return _supplies(change, supplies)
    return _plain(type(change).__name__)


def _capacity(change: CapacityChange, hospital: Hospital) -> Both:
    names = _pool(change.pool, hospital)
    if change.add is None:
        return _each(names, f"× {change.factor:g}", ("", ""))
    return _each(names, f"{change.add:+d}".replace("-", MINUS), ("", ""))


def _each(names: Both, value: str, who: Both) -> Both:
    fr, en = (f"{name}{f' ({one})' if one else ''}" for name, one in zip(names, who, strict=True))
    return f"{fr} : {value}".replace("%", " %"), f"{en}: {value}"


def _of(change: Of) -> Both:
    """Whom it concerns."""
    who = [*(f"{age} ans" for age in change.age), *(f"niveau {acuity}" for acuity in change.acuity)]
    whom = [*(f"aged {age}" for age in change.age), *(f"level {acuity}" for acuity in change.acuity)]
    return ", ".join(who), ", ".join(whom)


def _discharges(change: DischargeChange) -> Both:
    parts: list[Both] = []
    if change.earlier_min:
        hours = f"{change.earlier_min / 60:g}"
        parts.append((f"sorties des services {hours} h plus tôt", f"wards discharge {hours} h earlier"))
    if change.factor != 1.0:
        parts.append((f"sorties des services × {change.factor:.2g}", f"ward discharges × {change.factor:.2g}"))
    if change.every_day_alike:
        parts.append(("sorties égales tous les jours", "discharges alike on all days"))
    return ", ".join(fr for fr, _ in parts), ", ".join(en for _, en in parts)


def _supplies(change: SupplyChange, supplies: Supplies) -> Both:
    names = _supplied(change, supplies)
    fr, en = [], []
    if change.factor != 1.0:
        fr.append(f"besoin × {change.factor:.2g}")
        en.append(f"need × {change.factor:.2g}")
    if change.deliveries != "on_time":
        hours = f"{change.delay_min / 60:g}"
        late = change.deliveries == "delayed"
        fr.append(f"livraisons {hours} h en retard" if late else "livraisons manquées")
        en.append(f"deliveries {hours} h late" if late else "deliveries missed")
    if change.lost_share or change.lost:
        much = f"{change.lost_share:.0%}" if change.lost_share else str(change.lost)
        fr.append(f"stock perdu : {much}")
        en.append(f"stock lost: {much}")
    if change.capacity != 1.0:
        fr.append(f"capacité × {change.capacity:.2g}")
        en.append(f"capacity × {change.capacity:.2g}")
    return f"{names[0]} : {', '.join(fr)}".replace("%", " %"), f"{names[1]}: {', '.join(en)}"


def _supplied(change: SupplyChange, supplies: Supplies) -> Both:
    """What the site calls the item, or the service, of a change."""
    items = {item.name: (item.told.fr, item.told.en) for item in supplies.items}
    services = {service.name: (service.fr, service.en) for service in supplies.services}
    name = change.item or change.service or ""
    return (items if change.item else services).get(name, _plain(name))


def _pool(name: str, hospital: Hospital) -> Both:
    if name == LARGEST_WARDS:
        return "lits des plus grands services", "beds of the largest wards"
    if name == EVERY_WARD:
        return "lits de chaque service", "beds of every ward"
    if name.startswith(PROFESSION):
        return _PROFESSIONS.get(name.removeprefix(PROFESSION), _plain(name.removeprefix(PROFESSION)))
    for unit in hospital.units:
        if unit.pool == name:
            kind = (
                ("lits", "beds")
                if name.startswith(BED)
                else ("places", "spaces")
                if name.startswith(SPACE)
                else ("", "")
            )
            return f"{unit.fr} ({kind[0]})", f"{unit.en} ({kind[1]})"
    return next(((roster.fr, roster.en) for roster in hospital.rosters if roster.name == name), _plain(name))


def _plain(name: str) -> Both:
    words = name.replace("_", " ").replace(":", " ")
    return words, words


def _with_window(said: Both, change: Windowed, now: datetime, zone: str) -> Both:
    fr, en = (
        ", ".join(part for part in (one, *window) if part)
        for one, window in zip(said, _window(change, now, zone), strict=True)
    )
    return fr, en


def _window(change: Windowed, now: datetime, zone: str) -> tuple[list[str], list[str]]:
    """From when, where that is later; and until when, where that is told."""
    from_ = [_clock(change.from_min, now, zone)] if change.from_min > 0 else []
    until = [_clock(change.until_min, now, zone)] if change.until_min is not None else []
    return (
        [*(f"à partir de {at}" for at in from_), *(f"jusqu'à {at}" for at in until)],
        [*(f"from {at}" for at in from_), *(f"until {at}" for at in until)],
    )


def _clock(minute: float, now: datetime, zone: str) -> str:
    at = local(now + timedelta(minutes=minute), zone)
    here = local(now, zone)
    return f"{at:%H:%M}" if at.date() == here.date() else f"{at:%d/%m %H:%M}"
