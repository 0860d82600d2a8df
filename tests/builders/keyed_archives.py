"""NSKeyedArchiver property lists, written from the form that Foundation's archives have."""

from __future__ import annotations

import plistlib
from datetime import datetime

_EPOCH = datetime(2001, 1, 1)


def keyed_archive(value: object, class_name: str = "NSObject") -> dict[str, object]:
    """An archive whose root is a value; an object with fields where it is a dictionary with ``$fields``."""
    objects: list[object] = ["$null"]

    def put(item: object) -> plistlib.UID:
        if item is None:
            return plistlib.UID(0)
        place = len(objects)
        objects.append(None)
        objects[place] = build(item)
        return plistlib.UID(place)

    def of_class(name: str) -> plistlib.UID:
        objects.append({"$classname": name, "$classes": [name, "NSObject"]})
        return plistlib.UID(len(objects) - 1)

    def build(item: object) -> object:
        if isinstance(item, dict) and "$fields" in item:
            fields = {key: put(field) for key, field in item["$fields"].items()}
            return {**fields, "$class": of_class(class_name)}
        if isinstance(item, dict):
            keys, values = [put(key) for key in item], [put(one) for one in item.values()]
            return {"NS.keys": keys, "NS.objects": values, "$class": of_class("NSDictionary")}
        if isinstance(item, list):
            return {"NS.objects": [put(one) for one in item], "$class": of_class("NSArray")}
        if isinstance(item, datetime):
            return {"NS.time": (item - _EPOCH).total_seconds(), "$class": of_class("NSDate")}
        if isinstance(item, bytes):
            return {"NS.data": item, "$class": of_class("NSMutableData")}
        return item

    root = put(value)
    return {"$archiver": "NSKeyedArchiver", "$version": 100000, "$top": {"root": root}, "$objects": objects}


def keyed_archive_bytes(value: object, class_name: str = "NSObject") -> bytes:
    """The same in the binary form."""
    return plistlib.dumps(keyed_archive(value, class_name), fmt=plistlib.FMT_BINARY)
