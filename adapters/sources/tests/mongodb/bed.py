"""What tests of MongoDB need of a driver: databases filled, summed up and dropped. COMMAND DATABASE [ROWS]; the server is in MONGODB_URI."""

import datetime
import hashlib
import json
import os
import sys
import uuid

import bson
import pymongo
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

client = pymongo.MongoClient(os.environ["MONGODB_URI"], directConnection=True, serverSelectionTimeoutMS=20000)


def every_type():
    moment = datetime.datetime(2026, 3, 29, 1, 30, 0, 123000)
    return {
        "double": 1.5, "nan": float("nan"), "infinity": float("-inf"), "minus_zero": -0.0, "text": "grün\0 \U0001f418", "empty": "",
        "document": {"a": {"b": {"c": [1, [2, [3]]]}}}, "array": [1, "two", None, {"x": []}], "binary": Binary(bytes(range(256)), 0),
        "uuid": Binary.from_uuid(uuid.UUID(int=7)), "md5": Binary(b"x" * 16, 5), "custom": Binary(b"", 128), "id": ObjectId("6b0a74df7f9d6b6a07638aaa"),
        "true": True, "false": False, "date": moment, "old_date": datetime.datetime(1890, 1, 1), "null": None, "regex": Regex("^a.*b$", "imx"),
        "code": Code("function() { return 1 }"), "int32": -(2**31), "timestamp": Timestamp(4294967295, 1), "int64": Int64(2**63 - 1), "int64_small": Int64(1),
        "decimal": Decimal128("1.000000000000000000000000000000001"), "decimal_nan": Decimal128("NaN"), "min": MinKey(), "max": MaxKey(),
        "ref": DBRef("other", ObjectId("6b0a74df7f9d6b6a07638aab")), "with.dot": 1, "$dollar": 2,
    }


def fill(name, rows):
    client.drop_database(name)
    db = client[name]
    types = []
    for field, value in every_type().items():
        document = {"_id": field, "value": value}
        try:
            if field in ("with.dot", "$dollar"):
                document = {"_id": field, field: value}
            db["types"].insert_one(document)
            types.append(field)
        except pymongo.errors.PyMongoError as error:
            print(f"the server takes no {field}: {error}", file=sys.stderr)
    for key in [1, 1.5, "text", ObjectId(), {"a": 1, "b": 2}, True, None, datetime.datetime(2026, 1, 1), Binary(b"\xff\xff\xff\xff")]:
        db["keys"].insert_one({"_id": key})
    rows = int(rows)
    if rows >= 10000:
        # Two documents just below the limit of 16 MiB.
        db["big"].insert_many([{"_id": n, "text": "\xff" * (8 * 1024 * 1024 - 200 - n)} for n in range(2)])
    for first in range(0, rows, 10000):
        db["orders"].insert_many(
            [
                {"_id": n, "customer": f"Jürgen {n % 977}", "paid": n / 7, "at": datetime.datetime(2026, 1, 1) + datetime.timedelta(minutes=n), "n": [n, -n]}
                for n in range(first, min(first + 10000, rows))
            ]
        )
    db["orders"].create_index([("customer", 1), ("at", -1)], name="by customer")
    db["orders"].create_index("paid", partialFilterExpression={"paid": {"$gt": 100}})
    db["keys2"].insert_many([{"u": n, "gone": datetime.datetime(2126, 1, 1)} for n in range(10)])
    db["keys2"].create_index("u", unique=True)
    db["keys2"].create_index("gone", expireAfterSeconds=3600)
    db["kätzchen * und mehr"].insert_one({"_id": "schön"})
    db["a.b.c"].insert_one({"_id": 1})
    db.create_collection("empty")
    db.create_collection("capped", capped=True, size=1 << 20)
    db["capped"].insert_one({"_id": 1})
    db.create_collection("due", viewOn="orders", pipeline=[{"$match": {"paid": {"$gt": 100}}}, {"$project": {"customer": 1}}])
    print(json.dumps(types))


def total(name):
    """Counts, hashes over the raw documents in an order of our own, indexes and options, of each collection."""
    raw = client.get_database(name, codec_options=bson.CodecOptions(document_class=bson.raw_bson.RawBSONDocument))
    sums = {}
    for collection in sorted(client[name].list_collections(), key=lambda found: found["name"]):
        at, digest, count = collection["name"], hashlib.sha256(), 0
        if collection["type"] != "view":
            hashes = sorted(hashlib.sha256(document.raw).digest() for document in raw[at].find())
            count = len(hashes)
            digest.update(b"".join(hashes))
        indexes = {} if collection["type"] == "view" else client[name][at].index_information()
        for index in indexes.values():
            index.pop("ns", None)
        sums[at] = [count, digest.hexdigest(), collection["type"], repr(collection["options"]), repr(sorted(indexes.items()))]
    print(json.dumps(sums, ensure_ascii=False))


def archive(path):
    """What an archive of mongodump holds of each collection: documents, a hash over them, and what it says of indexes and options."""
    with open(path, "rb") as file:
        data = file.read()
    at, found = 4, {}

    def document():
        nonlocal at
        length = int.from_bytes(data[at : at + 4], "little")
        at += 4 if length == 0xFFFFFFFF else length
        return None if length == 0xFFFFFFFF else data[at - length : at]

    document()
    while head := document():
        head = bson.decode(head)
        about = json.loads(head["metadata"])
        about.pop("uuid", None)
        for index in about.get("indexes", []):
            index.pop("ns", None)
        found[head["collection"]] = (about, head["type"], [])
    while at < len(data):
        collection = bson.decode(document())["collection"]
        while body := document():
            found[collection][2].append(hashlib.sha256(body).digest())
    told = {name: [len(all), hashlib.sha256(b"".join(sorted(all))).hexdigest(), kind, about] for name, (about, kind, all) in found.items()}
    print(json.dumps(told, ensure_ascii=False, sort_keys=True))


def do(command, *arguments):
    if command == "fill":
        fill(*arguments)
    elif command == "total":
        total(*arguments)
    elif command == "archive":
        archive(*arguments)
    elif command == "drop":
        client.drop_database(arguments[0])
    elif command == "names":
        print(json.dumps(client.list_database_names(), ensure_ascii=False))
    elif command == "insert":
        client[arguments[0]][arguments[1]].insert_one(json.loads(arguments[2]))
    elif command == "limited":
        # A user of one database.
        client.admin.command("createUser", arguments[1], pwd=arguments[2], roles=[{"role": "read", "db": arguments[0]}])


do(*sys.argv[1:])
