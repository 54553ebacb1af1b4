"""Writes golden bytes with fastavro, an implementation of Avro that is not ours.

usage: python_golden.py SCHEMA.avsc < VALUES.json > SCHEMA.golden.json

VALUES is an array of records as JSON: timestamps as RFC 3339 text, days as YYYY-MM-DD. A file of golden bytes is written
once, when its version is added, and never again.
"""

import io
import json
import sys
from datetime import date, datetime

import fastavro


def revive(schema, value):
    """Turns text into what fastavro wants where the schema has a logical type."""
    if isinstance(schema, list):
        if value is None:
            return None
        rest = [branch for branch in schema if branch != "null"]
        return revive(rest[0], value) if len(rest) == 1 else value
    if not isinstance(schema, dict):
        return value
    kind, logical = schema["type"], schema.get("logicalType")
    if logical == "timestamp-millis":
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    if logical == "date":
        return date.fromisoformat(value)
    if kind == "record":
        return {field["name"]: revive(field["type"], value[field["name"]]) for field in schema["fields"]}
    if kind == "array":
        return [revive(schema["items"], item) for item in value]
    if kind == "map":
        return {key: revive(schema["values"], item) for key, item in value.items()}
    return value


def encode(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), revive(schema, value), strict=True)
    return out.getvalue().hex()


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf8") as file:
        schema = json.load(file)
    golden = [{"value": value, "bytes": encode(schema, value)} for value in json.load(sys.stdin)]
    json.dump(golden, sys.stdout, ensure_ascii=False, indent=2)
    print()
