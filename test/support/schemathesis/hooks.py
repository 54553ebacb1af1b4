"""What Schemathesis cannot know: texts of the API's own formats, and what must hold between two values of one request."""

import re
import uuid
from datetime import datetime, timedelta, timezone

import schemathesis
from hypothesis import strategies as st

ENTITY_TAGS = re.compile(r'(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)')
BEGAN = datetime.now(timezone.utc).replace(microsecond=0)


def instants(low_days, high_days):
    """RFC 3339, in several offsets. Ahead, because a reminder is."""
    seconds = st.integers(low_days * 86_400, high_days * 86_400)
    offsets = st.sampled_from([0, 60, -300, 345])
    return st.builds(
        lambda ahead, offset: (BEGAN + timedelta(seconds=ahead)).astimezone(timezone(timedelta(minutes=offset))).isoformat(),
        seconds,
        offsets,
    )


def instant(text):
    # Python 3.10 does not know Z.
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def format(name, strategy):
    schemathesis.openapi.format(name, strategy)


# At least two days, so that it is ahead in every zone; a snooze goes at most 366 days.
format("date-time", instants(2, 360))
format("date", st.integers(2, 360).map(lambda days: (BEGAN + timedelta(days=days)).date().isoformat()))
format("time-zone", st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]))
format("reminder-rule", st.sampled_from(["PT0S", "PT15M", "P1D", "P1W", "P1D@18:00", "P0D@09:30", "PT1H30M", "P366D"]))
format("span", st.sampled_from(["PT1S", "PT10M", "P1D", "P30D", "P1DT2H3M4S", "PT720H"]))
format("due-time", st.one_of(instants(2, 360), instants(2, 360).map(lambda text: text[:16])))
format("local-start", instants(2, 360).map(lambda text: text[:19]))
format("instant-or-day", st.one_of(instants(2, 360), st.integers(2, 360).map(lambda days: (BEGAN + timedelta(days=days)).date().isoformat())))
format("task-filter", st.sampled_from(["today", "overdue & (p1 | #home)", "!no date", "completed last week or created today", '"plants" & next 7 days']))
format(
    "rrule",
    st.sampled_from(
        [
            "FREQ=DAILY",
            "FREQ=DAILY;INTERVAL=1000",
            "FREQ=WEEKLY;BYDAY=MO,TH",
            "FREQ=MONTHLY;BYDAY=-1FR",
            "FREQ=MONTHLY;BYMONTHDAY=31",
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
            "FREQ=DAILY;BYHOUR=9,17;COUNT=3",
            "freq=yearly;until=22001231",
        ]
    ),
)


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.headers and "idempotency-key" in case.headers:
        # A key used before belongs to the request it was used for.
        case.headers["idempotency-key"] = str(uuid.uuid4())
    if isinstance(case.body, dict) and case.path == "/v1/quick-add" and isinstance(case.body.get("text"), str):
        # Something must be left for a title.
        case.body["text"] = "x " + case.body["text"].strip()[:400]
    if isinstance(case.body, dict) and isinstance(case.body.get("operations"), list):
        for operation in filter(lambda one: isinstance(one, dict), case.body["operations"]):
            # A name belongs to one create, and to what comes after it.
            operation.pop("temp_id", None)
            if str(operation.get("id", "")).startswith("$"):
                operation["id"] = str(uuid.uuid4())
            for fields in (operation.get("task"), operation.get("patch")):
                # A batch may have a few patterns alone; what they may say is tried one by one.
                for name in ("recurrence_pattern", "is_recurring_template"):
                    if isinstance(fields, dict):
                        fields.pop(name, None)
    tag = (case.headers or {}).get("if-match")
    if tag is not None and ENTITY_TAGS.fullmatch(tag) is None:
        # Schemathesis 4.32.5 makes `0` of the pattern, which does not match it.
        case.headers["if-match"] = '"1"'
    if case.query and case.query.get("scope") in ("all", "future") and isinstance(case.body, dict):
        # With others a task is moved by its pattern alone.
        for name in ("due_date", "due_on", "due_tz", "is_recurring_template"):
            case.body.pop(name, None)
        if case.body.get("recurrence_pattern", "") is None:
            case.body.pop("recurrence_pattern")
    for name in ("cursor", "ticket"):
        # They come from an answer; made up, they are refused.
        if case.query:
            case.query.pop(name, None)
    if case.method == "PATCH" and isinstance(case.body, dict) and (case.query or {}).get("scope") not in ("all", "future"):
        # The id may be that of an occurrence, whose series is changed with a scope alone.
        case.body.pop("recurrence_pattern", None)
    if isinstance(case.body, dict) and case.method == "PATCH" and not case.body.get("recurrence_pattern"):
        # Of a task that is no template the flag alone is refused.
        case.body.pop("is_recurring_template", None)
    if isinstance(case.body, dict) and case.body.get("due_on") and isinstance(case.body.get("recurrence_pattern"), dict):
        # Of an all-day task the starts left out are days; these are times.
        if "start" not in case.body["recurrence_pattern"]:
            case.body["recurrence_pattern"].pop("exdate", None)
    pattern = case.body.get("recurrence_pattern") if isinstance(case.body, dict) else None
    if isinstance(pattern, dict) and "start" in pattern:
        # A due beside it is that start, or the first date of the rule.
        case.body.pop("due_date", None)
        case.body.pop("due_on", None)
    quiet = case.body.get("quiet_hours") if isinstance(case.body, dict) else None
    if case.method == "PATCH" and isinstance(quiet, dict):
        # Part of quiet hours changes those there are; where there are none, both ends are needed.
        quiet["from"], quiet["to"] = quiet.get("from") or "22:00", quiet.get("to") or "07:00"
    if isinstance(case.body, dict) and isinstance(case.body.get("channels"), list):
        for channel in case.body["channels"]:
            complete(channel)
    if (case.path_parameters or {}).get("id") == "None":
        # Taken over from an answer where it is null.
        case.path_parameters["id"] = str(uuid.uuid4())
    for name in ("remind_at", "until"):
        # Taken over from an answer it may be past; a reminder is ahead.
        at = case.body.get(name) if isinstance(case.body, dict) else None
        if isinstance(at, str) and instant(at) < BEGAN + timedelta(days=1):
            case.body[name] = (BEGAN + timedelta(days=2)).isoformat()
    if case.query and "to" in case.query and "from" not in case.query:
        # A time without a beginning begins now.
        case.query.pop("to")
    if case.query and str(case.query.get("sort", "")).endswith("deleted"):
        # An order of deleted tasks alone.
        case.query["deleted"] = "true"
    for values in (case.query, case.body):
        if isinstance(values, dict):
            in_order(values)


@schemathesis.hook
def filter_case(context, case):
    # Schemathesis 4.32.5 calls a body invalid by the format of its reminder rules where it has none of them.
    is_negative = case.meta is not None and not case.meta.generation.mode.is_positive
    return not (is_negative and isinstance(case.body, dict) and case.body.get("remind", []) is None)


def complete(channel):
    """A webhook set for the first time brings its secret; a hint, or none, stands for one that is kept. Its address is a public one."""
    while isinstance(channel, dict):
        if channel.get("type") == "webhook":
            if "…" in channel.get("secret", "…"):
                channel["secret"] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
            channel["url"] = "https://hooks.example.org/taskwire"
        channel = channel.get("else")


def in_order(values):
    """What JSON Schema has no word for: a time ends after it begins, and quiet hours have a length."""
    first, second = values.get("from"), values.get("to")
    if isinstance(first, str) and isinstance(second, str) and len(first) > 5:
        earlier, later = sorted(map(instant, [first, second]))
        values["from"] = earlier.isoformat()
        # Nor has it more dates of a series than one request takes.
        values["to"] = min(later + timedelta(seconds=1), earlier + timedelta(days=90)).isoformat()
    for field in ("remind", "created"):
        first, second = values.get(f"{field}_after"), values.get(f"{field}_before")
        if isinstance(first, str) and isinstance(second, str):
            earlier, later = sorted(map(instant, [first, second]))
            values[f"{field}_after"] = earlier.isoformat()
            values[f"{field}_before"] = (later + timedelta(seconds=1)).isoformat()
    for field in ("due", "completed"):
        # Days and times, whose order depends on the zone of the preferences.
        if f"{field}_after" in values:
            values.pop(f"{field}_before", None)
    quiet = values.get("quiet_hours")
    if isinstance(quiet, dict) and quiet.get("from") == quiet.get("to"):
        values["quiet_hours"] = {**quiet, "from": "22:00", "to": "07:00"}
