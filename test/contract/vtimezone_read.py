"""Reads VTIMEZONEs with icalendar, which computes offsets with dateutil: implementations that are not ours.

usage: vtimezone_read.py < JSON; a list of {"text": a VCALENDAR with one VTIMEZONE, "walls": local times}. Writes, of each, the errors
found and the offsets at those times, in seconds.
"""

import json
import sys
from datetime import datetime

from icalendar import Calendar

read = []
for asked in json.load(sys.stdin):
    calendar = Calendar.from_ical(asked["text"])
    zone = calendar.walk("VTIMEZONE")[0].to_tz()
    offsets = [datetime.fromisoformat(wall).replace(tzinfo=zone).utcoffset() for wall in asked["walls"]]
    read.append(
        {
            "errors": [str(error) for part in calendar.walk() for error in part.errors],
            "offsets": [offset.total_seconds() for offset in offsets],
        }
    )
print(json.dumps(read))
