"""What the page and the command say of supplies, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from dashboard.words import Reader
from forecast.supplies_view import LIKELY, ItemView, Range, Serving, SuppliesView


def unit_said(item: ItemView, reader: Reader) -> str:
    """The unit that an item is counted in."""
    return reader.choice(item.unit_fr, item.unit_en)


def range_said(told: Range, reader: Reader, *, signed: bool = False) -> str:
    """A middle with the ends between which it lies in eight cases of ten; one number where all are the same."""
    low, middle, high = ((reader.signed if signed else reader.number)(value) for value in told)
    return middle if low == high else f"{middle} ({low} .. {high})"


def supply_kind(item: ItemView, reader: Reader) -> str:
    """How many there are now, by the kind of the item."""
    now = range_said(item.now, reader)
    if item.kind == "stock":
        return reader.say("in stock: {range}", range=now)
    if item.kind == "device":
        return reader.say("free: {range} of {n}", range=now, n=reader.number(item.full))
    return reader.say("ordered for each serving") if item.kind == "meals" else reader.say("done as it comes")


def lasts_said(item: ItemView, view: SuppliesView, reader: Reader) -> str:
    """Until when the stock lasts, were nothing to come."""
    early, middle, late = item.ahead.lasts_until
    if middle is None:
        return reader.say("nothing to fear: lasts for weeks")
    as_of = view.as_of or view.made_at
    said = reader.say("lasts until {middle}", middle=soon(middle, as_of, reader))
    if early is None or early == late:
        return said
    last = soon(late, as_of, reader) if late else reader.say("weeks from now")
    ends = reader.say("8 in 10: {first} .. {last}", first=soon(early, as_of, reader), last=last)
    return f"{said} ({ends})"


def soon(at: datetime, as_of: datetime, reader: Reader) -> str:
    """A clock time within a day, with the day of the week beyond, the date beyond five days."""
    if at - as_of < timedelta(hours=20):
        return reader.clock(at)
    if at - as_of < timedelta(days=5):
        return f"{reader.weekday(at)} {reader.clock(at)}"
    return reader.date(at)


def delivery_said(item: ItemView, time: str, reader: Reader) -> str:
    """When more comes, and how likely some lacks before, where that is worth saying."""
    lacks = item.ahead.p_short_before_next
    if lacks is None or lacks < LIKELY / 10:
        return reader.say("next delivery: {time}", time=time)
    return reader.say("next delivery: {time}; {chance} that some lack before", time=time, chance=reader.percent(lacks))


def known_from(item: ItemView, view: SuppliesView, reader: Reader) -> str:
    """Where the stock is known from, and how old that is."""
    if item.kind == "device":
        return reader.say("Reckoned from the patients who are there.")
    if item.counted_at is None:
        return reader.say("Never counted: taken to have been full at the last delivery.")
    age = reader.ago(max(view.made_at - item.counted_at, timedelta(0)))
    if item.basis == "delivered":
        return reader.say("Counted {ago}; taken to have been filled up by the delivery since.", ago=age)
    return reader.say("Counted {ago}, less what was used since.", ago=age)


def learned_said(item: ItemView, reader: Reader) -> str:
    """Whose figures the need is from."""
    if not item.learned_from:
        return reader.say("Use by the file's figures.")
    told = reader.count(
        "Use learned from {n} pair of counts.", "Use learned from {n} pairs of counts.", item.learned_from
    )
    times = reader.say("It is {factor} times what the file says.", factor=reader.number(item.factor, 2))
    return f"{told} {times}"


def risk_said(item: ItemView, view: SuppliesView, reader: Reader) -> tuple[str, str]:
    """The tone and the words of what may lack before the end."""
    ahead = item.ahead
    if ahead.p_short < 0.01:
        return "good", reader.say("nothing lacks in the hours to come")
    tone = "bad" if ahead.p_short >= 0.5 else "warn"
    as_of = view.as_of or view.made_at
    at = soon(ahead.short_at, as_of, reader) if ahead.short_at else ""
    chance = reader.percent(ahead.p_short)
    if item.kind == "work":
        return tone, reader.say("{chance} that more than an hour's work waits, about {time}", chance=chance, time=at)
    if item.kind == "meals":
        return tone, reader.say("{chance} that meals come late, about {time}", chance=chance, time=at)
    return tone, reader.say("{chance} that some lack, about {time}", chance=chance, time=at)


def serving_said(one: Serving, view: SuppliesView, reader: Reader) -> tuple[str, str, str, str]:
    """When, ordered, needed, and how likely some come late."""
    as_of = view.as_of or view.made_at
    return (
        soon(one.at, as_of, reader), range_said(one.ordered, reader), range_said(one.needed, reader),
        reader.percent(one.p_late),
    )  # fmt: skip
