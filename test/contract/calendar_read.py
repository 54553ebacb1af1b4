"""Reads an iCalendar file with icalendar, and expands its series with dateutil: implementations that are not ours.

usage: calendar_read.py < FILE.ics; writes one JSON object: the zones, and each VTODO with its values, decoded. `starts` of a
series are its first ones as instants in UTC, or days.
"""

import json
import sys
from datetime import date, datetime, timezone
from itertools import islice

from dateutil.rrule import rruleset, rrulestr
from icalendar import Calendar


def plain(value):
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat() if value.tzinfo else value.isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def dates(todo, name):
    found = todo.get(name, [])
    lists = found if isinstance(found, list) else [found]
    return [each.dt for values in lists for each in values.dts]


def starts(todo):
    """The series, walked on the wall clock of its zone, as its TZID says."""
    begin = todo["DTSTART"].dt
    zone = begin.tzinfo if isinstance(begin, datetime) else None

    def naive(value):
        if isinstance(value, datetime):
            return value.astimezone(zone).replace(tzinfo=None)
        return datetime(value.year, value.month, value.day)

    series = rruleset()
    if "RRULE" in todo:
        rule = todo["RRULE"]
        rule["UNTIL"] = [naive(until) for until in rule.get("UNTIL", [])]
        if not rule["UNTIL"]:
            del rule["UNTIL"]
        series.rrule(rrulestr(rule.to_ical().decode(), dtstart=naive(begin)))
    else:
        series.rdate(naive(begin))
    for each in dates(todo, "RDATE"):
        series.rdate(naive(each))
    for each in dates(todo, "EXDATE"):
        series.exdate(naive(each))
    found = islice(series, 5)
    return [plain(at.replace(tzinfo=zone) if zone else at.date()) for at in found]


def read(todo):
    told = {
        name: plain(todo[name].dt if hasattr(todo[name], "dt") else todo[name])
        for name in todo
        if name not in ("RRULE", "EXDATE", "RDATE", "CATEGORIES", "DTSTAMP", "CREATED", "LAST-MODIFIED")
    }
    if "CATEGORIES" in todo:
        told["CATEGORIES"] = [str(each) for each in todo["CATEGORIES"].cats]
    if "DTSTART" in todo:
        told["starts"] = starts(todo)
    alarms = [alarm["TRIGGER"] for alarm in todo.walk("VALARM")]
    told["alarms"] = [
        ["AT", plain(each.dt)] if isinstance(each.dt, datetime) else [each.params["RELATED"], each.dt.total_seconds()]
        for each in alarms
    ]
    return told


calendar = Calendar.from_ical(sys.stdin.buffer.read())
print(
    json.dumps(
        {
            "version": calendar["VERSION"],
            "errors": [error for todo in calendar.walk() for error in todo.errors],
            "zones": [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")],
            "todos": [read(todo) for todo in calendar.walk("VTODO")],
        }
    )
)
