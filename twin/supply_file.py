"""What care uses up and who brings it: services and their items, from a TOML file (`supplies.toml` is the shipped one).

Every number of an item stands with its unit and its source. A site writes its own file in the same form: an item or a
service of the same name takes the place of the shipped one, an item with `off = true` is left out.

An item is one of four kinds. A *stock* is used up and delivered again, or comes back from the laundry. *Meals* are
ordered from the kitchen for a serving and last no longer. A *device* is held by a patient and free again afterwards.
*Work*, such as a porter's trip, has no stock: what cannot be done at once waits.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from ingest.configuration import Checked, load
from ingest.errors import ConfigurationError
from ingest.events import Acuity
from twin.hospital import Hospital

DEFAULT = Path(__file__).with_name("supplies.toml")
ED, WARDS, HOSPITAL = "ed", "wards", "hospital"
"""Where patients are counted, besides single wards by name: in the department, in all wards, in both."""
Per = Literal["patient_hour", "arrival", "exit", "admission", "ward_exit", "serving", "patient"]
Kind = Literal["stock", "meals", "device", "work"]
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_HOURS = re.compile(r"(\d{1,2})-(\d{1,2})")


def _clocks(times: tuple[str, ...]) -> tuple[str, ...]:
    for time in times:
        if not _CLOCK.fullmatch(time):
            raise ValueError(f"a time of day must be like 7:30, but is {time!r}")
    return times


def _by_hours(table: dict[str, float]) -> dict[str, float]:
    """Shifts such as "21-7" that cover the day once."""
    seen: list[int] = []
    for text in table:
        match = _HOURS.fullmatch(text)
        if not match or not (0 <= int(match[1]) <= 23 and 1 <= int(match[2]) <= 24):
            raise ValueError(f'hours must be like "7-14" or "21-7", but are "{text}"')
        seen += hours_of(text)
    if sorted(seen) != list(range(24)):
        raise ValueError("hours must cover each hour of the day once")
    if min(table.values()) < 0:
        raise ValueError("a share or capacity must be 0 or more")
    return table


def hours_of(text: str) -> list[int]:
    """The local hours that "21-7" speaks of."""
    first, last = (int(part) for part in text.split("-"))
    return [hour % 24 for hour in range(first, last if last > first else last + 24)]


def minute_of(time: str) -> int:
    """Minutes since midnight of a time such as 7:30."""
    hour, minute = time.split(":")
    return int(hour) * 60 + int(minute)


Clocks = Annotated[tuple[str, ...], AfterValidator(_clocks)]
ByHours = Annotated[dict[str, float], AfterValidator(_by_hours)]
Source = Annotated[str, Field(min_length=1)]
Text = Annotated[str, Field(min_length=1)]


class ServiceEntry(Checked):
    """`[service.<name>]`: who brings it."""

    fr: Text
    en: Text


class Need(Checked):
    """So many of an item per patient-hour, arrival, exit .. ; `where` says of whom, where patients are counted."""

    per: Per
    rate: Annotated[float, Field(ge=0)]
    source: Source
    where: str | None = None
    by_acuity: dict[Acuity, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Per arrival, the rate of a level; those not named have `rate`."""
    hours: ByHours = Field(default_factory=dict)
    """How the rate changes over the local day, as factors."""

    @model_validator(mode="after")
    def _is_of_those_counted(self) -> Need:
        counted = self.per in ("patient_hour", "serving", "patient")
        if counted and self.where is None:
            places = f"{ED}, {WARDS}, {HOSPITAL} or a ward's name"
            raise ValueError(f"where must be {places}, since {self.per} counts patients")
        if not counted and self.where is not None:
            raise ValueError(f"where must not be given: {self.per} is of the whole department or of all wards")
        if self.by_acuity and self.per != "arrival":
            raise ValueError(f"by_acuity must not be given with per = {self.per}: only arrivals have an acuity")
        return self


class Amount(Checked):
    """A number of an item: as it is, or by how much of it is usually needed, so that it suits any size of hospital."""

    source: Source
    count: Annotated[int, Field(ge=0)] | None = None
    hours: Annotated[float, Field(gt=0)] | None = None
    """As much as is usually needed in so many hours."""
    times: Annotated[float, Field(gt=0)] | None = None
    """Of devices: so many times what is usually in use."""

    @model_validator(mode="after")
    def _is_one_of_three(self) -> Amount:
        told = [name for name in ("count", "hours", "times") if getattr(self, name) is not None]
        if len(told) != 1:
            raise ValueError(f"must have one of count, hours and times, but has {', '.join(told) or 'none'}")
        return self

    def of(self, usual_per_h: float) -> int:
        """The number, where so many are usually needed an hour or, of devices, in use."""
        if self.count is not None:
            return self.count
        return max(1, round((self.hours or self.times or 0.0) * usual_per_h))


class Deliveries(Checked):
    """When an item is brought, and how long before it is ordered; what is ordered fills the stock up to `up_to`."""

    at: Annotated[Clocks, Field(min_length=1)]
    source: Source
    weekdays: tuple[Annotated[int, Field(ge=1, le=7)], ...] = (1, 2, 3, 4, 5, 6, 7)
    """Monday is 1."""
    ordered_h: Annotated[float, Field(ge=0)] = 0.0
    """Hours from the order to the delivery."""


class Laundry(Checked):
    """What is used comes back: with the first delivery so many hours later, less what is worn out or lost."""

    hours: Annotated[float, Field(gt=0)]
    source: Source
    worn_share: Annotated[float, Field(ge=0, le=1)] = 0.0


class Kitchen(Checked):
    """Meals are ordered for the patients who are there so many hours before a serving, and some more."""

    at: Annotated[Clocks, Field(min_length=1)]
    cut_off_h: Annotated[float, Field(ge=0)]
    margin_share: Annotated[float, Field(ge=0, le=1)]
    source: Source


class Capacity(Checked):
    """What can be done an hour, by local hours: times the usual need an hour or, with `count`, as it is."""

    hours: ByHours
    source: Source
    count: bool = False


class Spread(Checked):
    """How needs vary beside what patients explain."""

    day_cv: Annotated[float, Field(ge=0, le=2)]
    """Coefficient of variation of the whole from day to day."""
    batch: Annotated[float, Field(gt=0)]
    """Variance over mean of what is used in a short time: about how many are used at once."""
    source: Source


class ItemEntry(Checked):
    """`[item.<name>]`."""

    service: Text
    fr: Text
    en: Text
    unit_fr: Text
    unit_en: Text
    needs: Annotated[tuple[Need, ...], Field(min_length=1)]
    spread: Spread
    place_fr: str = ""
    place_en: str = ""
    up_to: Amount | None = None
    deliveries: Deliveries | None = None
    laundry: Laundry | None = None
    kitchen: Kitchen | None = None
    owned: Amount | None = None
    capacity: Capacity | None = None
    off: bool = False

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> ItemEntry:
        kinds = [name for name in ("deliveries", "kitchen", "owned", "capacity") if getattr(self, name) is not None]
        if len(kinds) != 1:
            found = " and ".join(kinds) or "none"
            raise ValueError(f"must have one of deliveries, kitchen, owned and capacity, but has {found}")
        if (self.up_to is None) != (self.deliveries is None):
            raise ValueError("up_to and deliveries must be given together")
        if self.laundry is not None and self.deliveries is None:
            raise ValueError("laundry must be given together with deliveries")
        asked = {"kitchen": "serving", "owned": "patient"}.get(kinds[0])
        for need in self.needs:
            if (need.per in ("serving", "patient") or asked) and need.per != asked:
                raise ValueError(f"needs per {need.per} do not go with {kinds[0]}: meals have serving, devices patient")
        return self


class SuppliesFile(Checked):
    """What a file of supplies may say."""

    service: dict[str, ServiceEntry] = Field(default_factory=dict)
    item: dict[str, ItemEntry] = Field(default_factory=dict)


@dataclass(frozen=True)
class Service:
    """Who runs some of the items."""

    name: str
    fr: str
    en: str


@dataclass(frozen=True)
class Item:
    """What is used up."""

    name: str
    told: ItemEntry

    @property
    def kind(self) -> Kind:
        """Of which of the four kinds it is."""
        told = self.told
        return "meals" if told.kitchen else "device" if told.owned else "work" if told.capacity else "stock"


@dataclass(frozen=True)
class Supplies:
    """The services, and their items in the order of the file."""

    services: tuple[Service, ...]
    items: tuple[Item, ...]

    def index(self, name: str) -> int:
        """The place of an item."""
        return next(place for place, item in enumerate(self.items) if item.name == name)

    def of_service(self, service: str) -> list[Item]:
        """The items that a service runs."""
        return [item for item in self.items if item.told.service == service]

    def within(self, hospital: Hospital) -> Supplies:
        """Those that a hospital can need: without needs of wards that it does not have, and items with none left."""
        wards = {unit.name for unit in hospital.wards}
        kept = [(item, tuple(n for n in item.told.needs if _is_there(n, wards))) for item in self.items]
        items = tuple(Item(i.name, i.told.model_copy(update={"needs": needs})) for i, needs in kept if needs)
        used = {item.told.service for item in items}
        return Supplies(tuple(s for s in self.services if s.name in used), items)


def _is_there(need: Need, wards: set[str]) -> bool:
    if need.per in ("admission", "ward_exit") or need.where == WARDS:
        return bool(wards)
    return need.where in (None, ED, HOSPITAL) or need.where in wards


def load_supplies(*files: Path, wards: Collection[str] | None = None) -> Supplies:
    """The shipped services and items, and those of the files, which may replace them.

    `wards` are the hospital's, to find misspelt ones. Raises ConfigurationError with every fault of a file.
    """
    services: dict[str, Service] = {}
    items: dict[str, Item] = {}
    for file in (DEFAULT, *files):
        told = _shipped() if file == DEFAULT else load(file, SuppliesFile)
        services |= {name: Service(name, entry.fr, entry.en) for name, entry in told.service.items()}
        items |= {name: Item(name, entry) for name, entry in told.item.items()}
        known = None if file == DEFAULT else wards
        if faults := [f"{file}: item.{fault}" for name in told.item for fault in _faults(items[name], services, known)]:
            raise ConfigurationError(faults)
    kept = tuple(item for item in items.values() if not item.told.off)
    used = {item.told.service for item in kept}
    return Supplies(tuple(s for s in services.values() if s.name in used), kept)


@cache
def _shipped() -> SuppliesFile:
    """The shipped file, read once a process."""
    return load(DEFAULT, SuppliesFile)


def _faults(item: Item, services: Collection[str], wards: Collection[str] | None) -> Iterator[str]:
    """Names that nothing has."""
    if item.told.service not in services:
        yield f"{item.name}.service: must be one of {', '.join(services)}, but is {item.told.service!r}"
    for need in item.told.needs if wards is not None else ():
        places = (ED, WARDS, HOSPITAL, *(wards or ()))
        if need.where is not None and need.where not in places:
            near = get_close_matches(need.where, places, n=1)
            said = f"likely a typo for {near[0]}" if near else f"there are {', '.join(places)}"
            yield f"{item.name}.needs: unknown place {need.where}, {said}"
