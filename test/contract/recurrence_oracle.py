"""Expands recurrence rules with dateutil, an implementation that is not ours.

One JSON object a line: {"rrule": "FREQ=DAILY", "start": "2026-01-31T09:00:00", "tz": "UTC", "take": 20}; answers a line each, a
JSON array of the instants. dateutil walks the local clock alone; what is in a gap of the zone, by zoneinfo, is left out here.

Where dateutil is known to differ from RFC 5545, the rule is handed to it in other words that mean the same:
- BYDAY=TH,1WE is read as "Thursdays that are the first Wednesday": TH is written as 1TH,2TH,... instead.
- BYWEEKNO without a day gives all seven; the start's weekday is meant (section 3.3.10, "information not contained in the rule").
- a weekly BYSETPOS counts the first week from the start on; laid from the week's first day it counts all of it, and what is
  before the start is left out afterwards, before COUNT is applied.
- of a neighbouring year's weeks it sees too few or the wrong ones: BYWEEKNO=-53 misses 2031-12-30, which date.isocalendar()
  too puts into the first of 53 weeks of 2032, and BYWEEKNO=53 takes 2101-01-02 of week 52. Its table of weeks is replaced.
"""

import datetime as calendar
import json
import sys
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

import dateutil.rrule
from dateutil.rrule import rrulestr

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
# Where dateutil gives up; a rule that never occurs would be searched to the year 9999.
LAST_YEAR = int(sys.argv[1]) if len(sys.argv) > 1 else 2200
calendar.MAXYEAR = LAST_YEAR


rebuild = dateutil.rrule._iterinfo.rebuild


def rebuild_with_weeks(self, year, month):
    changed = year != self.lastyear
    rebuild(self, year, month)
    if changed and self.rrule._byweekno:
        wanted = self.rrule._byweekno
        weeks = weeks_of_days(year, self.rrule._wkst)
        self.wnomask = [week in wanted or week - last - 1 in wanted for week, last in weeks] + [False] * 7


@lru_cache(maxsize=None)
def weeks_of_days(year, week_start):
    """Of each day of a year its week and the last week of the week's year, which is the year that has its fourth day."""
    found = []
    day = calendar.date(year, 1, 1)
    while day.year == year:
        fourth = day + timedelta(days=3 - (day.weekday() - week_start) % 7)
        week = last = (fourth.timetuple().tm_yday + 6) // 7
        while (fourth + timedelta(days=7 * (last - week + 1))).year == fourth.year:
            last += 1
        found.append((week, last))
        day += timedelta(days=1)
    return found


dateutil.rrule._iterinfo.rebuild = rebuild_with_weeks


def expand(line):
    start = datetime.fromisoformat(line["start"])
    parts = dict(part.split("=") for part in line["rrule"].split(";"))
    count = int(parts.pop("COUNT", LAST_YEAR * 400))
    laid_from = start
    week_start = WEEKDAYS.index(parts.get("WKST", "MO"))

    if "BYDAY" in parts:
        days = parts["BYDAY"].split(",")
        if any(len(day) > 2 for day in days) and any(len(day) == 2 for day in days):
            most = 5 if parts["FREQ"] == "MONTHLY" or "BYMONTH" in parts else 53
            days = [f"{n}{day}" for day in days for n in range(1, most + 1) if len(day) == 2] + [
                day for day in days if len(day) > 2
            ]
            parts["BYDAY"] = ",".join(days)
    elif "BYWEEKNO" in parts and not {"BYMONTHDAY", "BYYEARDAY"} & set(parts):
        parts["BYDAY"] = WEEKDAYS[start.weekday()]

    if parts["FREQ"] == "WEEKLY" and "BYSETPOS" in parts:
        parts.setdefault("BYDAY", WEEKDAYS[start.weekday()])
        laid_from = start - timedelta(days=(start.weekday() - week_start) % 7)

    # A whole day as UNTIL includes its evening; without one, what is beyond our calendar is not looked for.
    zone = ZoneInfo(line["tz"])
    until = parts.get("UNTIL", f"{LAST_YEAR}1231")
    if until.endswith("Z"):
        instant = datetime.strptime(until, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        until = instant.astimezone(zone).strftime("%Y%m%dT%H%M%S")
    parts["UNTIL"] = until if "T" in until else f"{until}T235959"
    rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=laid_from)
    found = (instant_of(at, zone) for at in rule if at >= start)
    within = islice((at for at in found if at is not None), min(count, line["take"]))
    return [at.isoformat() for at in within]


def instant_of(local, zone):
    """The first of two instants, None for a time in a gap."""
    instant = local.replace(tzinfo=zone, fold=0).astimezone(timezone.utc)
    return instant if instant.astimezone(zone).replace(tzinfo=None) == local else None


for text in sys.stdin:
    print(json.dumps(expand(json.loads(text))))
