"""Decodes Kafka values with fastavro, knowing nothing but the registry's address.

usage: python_decode.py REGISTRY_URL < LINES

Each line in is {"value": base64}; each line out is {"name": full name, "data": record}. Times come out as RFC 3339 text.
"""

import base64
import io
import json
import struct
import sys
from datetime import date, datetime
from functools import cache
from urllib.request import urlopen

import fastavro

registry = sys.argv[1].rstrip("/")


@cache
def schema_of(schema_id):
    with urlopen(f"{registry}/schemas/ids/{schema_id}", timeout=10) as answer:
        return fastavro.parse_schema(json.loads(json.load(answer)["schema"]))


def plain(value):
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


for line in sys.stdin:
    value = base64.b64decode(json.loads(line)["value"])
    magic, schema_id = struct.unpack(">bI", value[:5])
    assert magic == 0, f"magic byte {magic}"
    body = io.BytesIO(value[5:])
    schema = schema_of(schema_id)
    data = fastavro.schemaless_reader(body, schema)
    assert body.read() == b"", "bytes are left over"
    print(json.dumps({"name": schema["name"], "data": data}, default=plain), flush=True)
