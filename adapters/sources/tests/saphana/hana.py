#!/usr/bin/env -S python3 -I -S
"""A stand-in for SAP's hdbsql and hdbuserstore, and for the HANA system behind them.

It is not HANA, and nothing here was compared with one: it takes the options and statements that SAP documents and this project uses, exactly
as they have to be, and refuses everything else. Installed under the name of either tool (`install FOLDER`), it keeps a system in `world/`
beside itself:

  world.json      sid, version, tls, ports (port -> database), users (password, rights, state), databases (status, content), ini, behave
  catalogue.json  the entries of the catalogue of backups, with their files
  calls.log       a line a call: the tool, its arguments and environment as the kernel shows them, the database, the statement

`behave` in world.json says what goes wrong:

  backup    fail          447, the entry is failed
            fail_quietly  exit code 0 and no word, the entry is failed
            say           an error is printed, exit code 0
            no_entry      exit code 0, nothing in the catalogue
            no_parts      the entry is successful and names no files
            no_files      the entry is successful, and the files are not there
            short         the file with the data is one byte short
            foreign       the catalogue names a file that is not of the backup
            hang          runs until it is cancelled
            no_id         the Backint tool's names are missing
  fail_first  so many backups fail before one succeeds
  recover     fail        448
  store       elsewhere   hdbuserstore keeps its store in another place than the home folder
"""

import fcntl
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.realpath(sys.argv[0]))
WORLD = os.path.join(HERE, "world")
NAME = r'"((?:[^"]|"")+)"'
TEXT = r"'((?:[^']|'')*)'"


class Failed(Exception):
    """An error of the database, by its number."""

    def __init__(self, number, message):
        super().__init__(message)
        self.number = number


def install(folder):
    os.makedirs(os.path.join(folder, "world", "elsewhere"))
    own = open(os.path.realpath(__file__)).read()
    for name in ("hdbsql", "hdbuserstore"):
        path = os.path.join(folder, name)
        with open(path, "w") as out:
            out.write(own)
        os.chmod(path, 0o755)
    backups = os.path.join(folder, "backups")
    for kind in ("data", "log"):
        os.makedirs(os.path.join(backups, kind))
    rights = ["CATALOG READ", "BACKUP OPERATOR", "DATABASE BACKUP OPERATOR", "DATABASE ADMIN", "INIFILE ADMIN"]
    write("world", {
        "sid": "HN1",
        "version": "2.00.067.00.1666666666",
        "tls": True,
        "ports": {"30013": "SYSTEMDB", "30041": "T1"},
        "users": {"BACKUP": {"password": "testsecret", "rights": rights}},
        "databases": {
            "SYSTEMDB": {"status": "YES", "content": "the system"},
            "T1": {"status": "YES", "content": "first tenant"},
            "T2": {"status": "YES", "content": "second tenant"},
        },
        "ini": {"basepath_databackup": os.path.join(backups, "data"), "basepath_logbackup": os.path.join(backups, "log")},
        "channels": {},
        "behave": {},
    }, folder)
    write("catalogue", [], folder)


def read(name, folder=HERE):
    with open(os.path.join(folder, "world", name + ".json")) as file:
        return json.load(file)


def write(name, value, folder=HERE):
    path = os.path.join(folder, "world", name + ".json")
    with open(path + ".new", "w") as file:
        json.dump(value, file, indent=1)
    os.rename(path + ".new", path)


class Locked:
    """The world for one call alone."""

    def __enter__(self):
        self.file = open(os.path.join(WORLD, "lock"), "w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


def note(**call):
    def shown(name):
        with open("/proc/self/" + name, "rb") as file:
            return file.read().decode(errors="replace").split("\0")

    call.update(arguments=shown("cmdline"), environment=shown("environ"))
    with open(os.path.join(WORLD, "calls.log"), "a") as log:
        log.write(json.dumps(call) + "\n")


# The user store.


def store_path():
    home = os.environ["HOME"]
    if read("world")["behave"].get("store") == "elsewhere":
        home = os.path.join(WORLD, "elsewhere")
    return os.path.join(home, ".hdb", os.uname().nodename, "SSFS_HDB.DAT")


def load_store(path):
    try:
        with open(path) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def hdbuserstore(arguments):
    note(tool="hdbuserstore")
    path = store_path()
    keys = load_store(path)
    if len(arguments) == 5 and arguments[:2] == ["-i", "SET"]:
        _, _, key, place, user = arguments
        password = sys.stdin.readline()
        if not password.endswith("\n"):
            sys.exit("no password on stdin")
        keys[key] = {"place": place, "user": user, "password": password[:-1]}
    elif len(arguments) == 2 and arguments[0] == "DELETE":
        del keys[arguments[1]]
    else:
        sys.exit("usage: hdbuserstore [-i] SET|DELETE …")
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(path, "w") as file:
        json.dump(keys, file)
    os.chmod(path, 0o600)


# The client.


def hdbsql(arguments):
    if arguments == ["-v"]:
        print("HDBSQL version 2.19.21.1715281221, the SAP HANA Database interactive terminal.")
        return
    given, rest = {}, list(arguments)
    with_value = {"-U", "-d", "-E", "-I", "-ssltruststore"}
    alone = {"-a", "-x", "-j", "-e", "-ssltrustcert"}
    while rest:
        option = rest.pop(0)
        if option in given or option not in with_value | alone:
            sys.exit(f"hdbsql: unknown option {option}")
        given[option] = rest.pop(0) if option in with_value else True
    for needed in ("-U", "-a", "-x", "-j", "-E", "-I"):
        if needed not in given:
            sys.exit(f"hdbsql: {needed} is missing")
    with open(given["-I"]) as file:
        lines = file.read().split("\n")
    if os.stat(given["-I"]).st_mode & 0o077 or len(lines) != 2 or lines[1]:
        sys.exit("hdbsql: the file with the statement is open to others, or is not one line")
    try:
        with Locked():
            session = Session(given)
            note(tool="hdbsql", database=session.database, statement=lines[0])
        session.run(lines[0])
    except Failed as failure:
        is_said_only = failure.number == 0
        number = 447 if is_said_only else failure.number
        state = "SQLSTATE: HY000" if number > 0 else ""
        print(f"* {number}: {failure} {state}", file=sys.stderr)
        sys.exit(0 if is_said_only else int(given["-E"]))


def shown(value):
    if value is None:
        return "?"
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace('"', '""') + '"'


class Session:
    def __init__(self, given):
        self.world = read("world")
        keys = load_store(store_path())
        if given["-U"] not in keys:
            raise Failed(-10104, f"Invalid value for KEY ({given['-U']})")
        key = keys[given["-U"]]
        host, _, port = key["place"].partition("@")[0].rpartition(":")
        is_sealed = "-e" in given
        if is_sealed and not self.world["tls"]:
            raise Failed(-10709, "Connection failed (RTE:[300015] SSL certificate validation failed)")
        if "-e" not in given and self.world["tls"] == "required":
            raise Failed(-10709, "Connection failed (RTE:[89013] Socket closed by peer)")
        if "-ssltruststore" in given and not os.path.exists(given["-ssltruststore"]):
            raise Failed(-10709, "Connection failed (RTE:[300010] Cannot create SSL context)")
        if host != "127.0.0.1" or port not in self.world["ports"]:
            raise Failed(-10709, "Connection failed (RTE:[89006] System call 'connect' failed, rc=111:Connection refused)")
        self.database = given.get("-d", self.world["ports"][port])
        if self.database not in self.world["databases"]:
            raise Failed(-10709, "Connection failed (RTE:[89008] Database not found)")
        user = self.world["users"].get(key["user"])
        if user is None or user["password"] != key["password"]:
            raise Failed(10, "authentication failed")
        if user.get("state") == "expired":
            raise Failed(414, "user is forced to change password: alter password required for user " + key["user"])
        if user.get("state") == "locked":
            raise Failed(416, "user is locked; try again later")
        self.user, self.rights = key["user"], user["rights"]

    def needs(self, *any_of):
        if not any(right in self.rights for right in any_of):
            raise Failed(258, "insufficient privilege: Not authorized")

    def run(self, statement):
        for pattern, method in STATEMENTS:
            match = re.fullmatch(pattern, statement)
            if match:
                for row in method(self, *match.groups()) or []:
                    print(",".join(shown(value) for value in row))
                return
        raise Failed(257, "sql syntax error: " + statement)

    # Questions.

    def m_database(self):
        return [(self.database, self.world["sid"], self.world["version"])]

    def m_databases(self):
        self.only_system()
        return [(name, self.world["databases"][name]["status"]) for name in sorted(self.world["databases"])]

    def only_system(self):
        if self.database != "SYSTEMDB":
            raise Failed(259, "invalid table name")

    def current_user(self):
        return [(self.user,)]

    def disk_usage(self, own):
        self.needs("CATALOG READ")
        if own is None:
            self.only_system()
            return [(name, len(database["content"])) for name, database in self.world["databases"].items()]
        if own != self.database:
            raise Failed(257, "sql syntax error")
        return [(own, len(self.world["databases"][own]["content"]))]

    def privileges(self):
        return [(right,) for right in self.rights]

    def ini(self, key):
        value = self.world["ini"].get(key)
        return [("DEFAULT", "$(DIR_INSTANCE)/backup/elsewhere")] + ([("SYSTEM", value)] if value else [])

    def host_information(self):
        return [("00",)]

    def of(self, schema, database):
        """The entries of a catalogue: its own, or those of a database as the system sees them."""
        self.needs("CATALOG READ")
        if (schema == "SYS") != (database is None):
            raise Failed(260, "invalid column name: DATABASE_NAME")
        if database is not None:
            self.only_system()
        wanted = self.database if database is None else text(database)
        return [entry for entry in read("catalogue") if entry["database"] == wanted]

    def first(self, schema, database, comment, full):
        found = self.of(schema, database)
        if comment is not None:
            found = [entry for entry in found if entry["comment"] == text(comment)]
        else:
            found = [entry for entry in found if entry["type"] == "complete data backup" and entry["state"] == "successful"]
        found.sort(key=lambda entry: -entry["id"])
        return [(e["id"], e["state"], e["message"], "2026-01-01 00:00:00", "2026-01-01 00:01:00") for e in found[:1]]

    def parts(self, schema, database, backup):
        return [row(part) for entry in self.of(schema, database) if entry["id"] == int(backup) for part in entry["parts"]]

    def logs(self, schema, same, also, database, since):
        if (schema, also) not in (("SYS", "SYS"), ("SYS_DATABASES", "SYS_DATABASES")) or bool(same) != (schema != "SYS"):
            raise Failed(257, "sql syntax error")
        found = [e for e in self.of(schema, database) if e["type"] == "log backup" and e["state"] == "successful" and e["id"] >= int(since)]
        return sorted(row(part) for entry in found for part in entry["parts"])

    # Orders.

    def may_back_up(self, tenant):
        if tenant is None:
            self.needs("BACKUP OPERATOR", "BACKUP ADMIN")
            return self.database
        self.only_system()
        self.needs("DATABASE BACKUP OPERATOR", "DATABASE BACKUP ADMIN", "DATABASE ADMIN")
        name = identifier(tenant)
        if name == "SYSTEMDB" or name not in self.world["databases"]:
            raise Failed(397, f"invalid name of database: {name}")
        return name

    def backup(self, level, tenant, via, prefix, comment):
        database = self.may_back_up(tenant)
        prefix, behave = text(prefix), self.world["behave"]
        with Locked():
            catalogue = read("catalogue")
            number = max([entry["id"] for entry in catalogue], default=1700000000000) + 1
            is_there = any(e["database"] == database and e["type"] == "complete data backup" and e["state"] == "successful" for e in catalogue)
            if level and not is_there:
                raise Failed(447, "backup could not be completed: no full backup found")
            kind = {None: "complete", "INCREMENTAL ": "incremental", "DIFFERENTIAL ": "differential"}[level]
            entry = {"id": number, "database": database, "type": kind + " data backup", "state": "running", "message": "<ok>",
                     "comment": text(comment), "parts": []}
            attempts = sum(e["type"] != "log backup" for e in catalogue)
            how = "fail" if attempts < behave.get("fail_first", 0) else behave.get("backup")
            if how != "no_entry":
                write("catalogue", catalogue + [entry])
        if how == "hang":
            if via == "FILE":
                open(prefix + "_databackup_0_1", "w").close()
            while state_of(number) == "running":
                time.sleep(0.02)
            raise Failed(447, "backup could not be completed: canceled")
        if how in ("fail", "fail_quietly", "say"):
            if via == "FILE":
                open(prefix + "_databackup_0_1", "w").close()
            change(number, state="failed", message="[447] backup could not be completed: no space left")
            if how == "fail_quietly":
                return
            raise Failed(447 if how == "fail" else 0, "backup could not be completed: [2001003] no space left")
        parts = self.written(number, database, level, via, prefix, how)
        change(number, state="successful", parts=parts)

    def written(self, number, database, level, via, prefix, how):
        middle = f"databackup_{level.strip().lower()}_1_{number}" if level else "databackup"
        content = self.world["databases"][database]["content"]
        data = json.dumps({"database": database, "level": level, "content": content}).ljust(300_000) + "\n"
        volume = "1" if database == "SYSTEMDB" else "2"
        parts = []
        for source, service, name, payload in (
            ("topology", "nameserver", f"{prefix}_{middle}_0_1", "topology of " + database),
            ("volume", "nameserver" if volume == "1" else "indexserver", f"{prefix}_{middle}_{volume}_1", data),
        ):
            if via == "BACKINT":
                external = None if how == "no_id" else f"ebid-{number}-{source}"
                parts.append(part(f"/usr/sap/HN1/SYS/global/hdb/backint/{name}", len(payload), source, service, "backint", external))
                continue
            if how == "foreign" and source == "volume":
                name = os.path.join(WORLD, "world.json")
            elif how != "no_files":
                with open(name, "w") as file:
                    file.write(payload[:-1] if how == "short" and source == "volume" else payload)
            parts.append(part(name, len(payload), source, service))
        # The copy of the catalogue, which lies with the logs.
        parts.append(part(self.world["ini"].get("basepath_logbackup", "/nowhere") + f"/log_backup_0_0_0_0.{number}", 10, "catalog", "nameserver"))
        return [] if how == "no_parts" else parts[:2] if via == "BACKINT" else parts

    def cancel(self, tenant, number):
        self.may_back_up(tenant)
        change(int(number), state="canceled", message="canceled by user")

    def configure(self, layer, tenant, channels):
        self.needs("INIFILE ADMIN")
        whose = self.database if tenant is None else text(tenant)
        if (layer == "SYSTEM") != (whose == "SYSTEMDB"):
            raise Failed(257, "sql syntax error: layer")
        with Locked():
            world = read("world")
            world["channels"][whose] = int(channels)
            write("world", world)

    def tenant(self, name, is_now, **changes):
        self.only_system()
        self.needs("DATABASE ADMIN")
        with Locked():
            world = read("world")
            database = world["databases"].get(name)
            if database is None or database["status"] != is_now:
                raise Failed(397, f"invalid name or state of database: {name}")
            database.update(changes)
            write("world", world)

    def stop(self, name):
        self.tenant(identifier(name), "YES", status="NO")

    def start(self, name):
        self.tenant(identifier(name), "NO", status="YES")

    def create(self, name, password):
        self.only_system()
        self.needs("DATABASE ADMIN")
        name, password = identifier(name), identifier(password)
        if not (re.search("[A-Z]", password) and re.search("[a-z]", password) and re.search("[0-9]", password)):
            raise Failed(412, "invalid password layout")
        with Locked():
            world = read("world")
            if name in world["databases"]:
                raise Failed(395, "database exists")
            world["databases"][name] = {"status": "YES", "content": ""}
            write("world", world)

    def drop(self, name):
        self.only_system()
        self.needs("DATABASE ADMIN")
        with Locked():
            world = read("world")
            del world["databases"][identifier(name)]
            write("world", world)

    def recover(self, name, via, prefix):
        name, prefix = identifier(name), text(prefix)
        self.tenant(name, "NO", content="half recovered")
        if self.world["behave"].get("recover") == "fail":
            raise Failed(448, "recovery could not be completed: [110098] data is damaged")
        if via == "BACKINT":
            known = [e for e in read("catalogue") if e["parts"] and "/" + prefix + "_" in e["parts"][0]["path"]]
            if not known:
                raise Failed(448, "recovery could not be completed: Backint has no such backup")
            self.tenant(name, "NO", content="from backint", status="YES")
            return
        try:
            with open(prefix + "_databackup_0_1"), open(prefix + "_databackup_2_1") as file:
                backup = json.load(file)
        except (OSError, ValueError) as error:
            raise Failed(448, f"recovery could not be completed: {error}")
        self.tenant(name, "NO", content=backup["content"], status="YES")


def identifier(name):
    return name.replace('""', '"')


def text(literal):
    return literal.replace("''", "'")


def part(path, size, source, service, destination="file", external=None):
    return {"path": path, "size": size, "source": source, "service": service, "destination": destination, "external": external}


def row(part):
    return part["path"], part["size"], part["source"], part["service"], part["destination"], part["external"]


def state_of(number):
    return next((entry["state"] for entry in read("catalogue") if entry["id"] == number), None)


def change(number, **changes):
    with Locked():
        catalogue = read("catalogue")
        for entry in catalogue:
            if entry["id"] == number:
                entry.update(changes)
        write("catalogue", catalogue)


COLUMNS = "{0}DESTINATION_PATH, {0}BACKUP_SIZE, {0}SOURCE_TYPE_NAME, {0}SERVICE_TYPE_NAME, {0}DESTINATION_TYPE_NAME, {0}EXTERNAL_BACKUP_ID"
OF = rf"(?:DATABASE_NAME = {TEXT} AND )?"
STATEMENTS = [
    (r"SELECT DATABASE_NAME, SYSTEM_ID, VERSION FROM SYS\.M_DATABASE", Session.m_database),
    (r"SELECT DATABASE_NAME, ACTIVE_STATUS FROM SYS\.M_DATABASES ORDER BY DATABASE_NAME", Session.m_databases),
    (r"SELECT CURRENT_USER FROM SYS\.DUMMY", Session.current_user),
    (r"SELECT DATABASE_NAME, SUM\(USED_SIZE\) FROM SYS_DATABASES\.M_DISK_USAGE WHERE USAGE_TYPE = 'DATA' GROUP BY DATABASE_NAME()",
     lambda session, _: session.disk_usage(None)),
    (rf"SELECT {TEXT}, SUM\(USED_SIZE\) FROM SYS\.M_DISK_USAGE WHERE USAGE_TYPE = 'DATA'", Session.disk_usage),
    (r"SELECT DISTINCT PRIVILEGE FROM SYS\.EFFECTIVE_PRIVILEGES WHERE USER_NAME = CURRENT_USER AND OBJECT_TYPE = 'SYSTEMPRIVILEGE' AND IS_VALID = 'TRUE'",
     Session.privileges),
    (rf"SELECT LAYER_NAME, VALUE FROM SYS\.M_INIFILE_CONTENTS WHERE FILE_NAME = 'global\.ini' AND SECTION = 'persistence' AND KEY = {TEXT}", Session.ini),
    (r"SELECT VALUE FROM SYS\.M_HOST_INFORMATION WHERE KEY = 'sapsystem' LIMIT 1", Session.host_information),
    (r"SELECT BACKUP_ID, STATE_NAME, MESSAGE, UTC_START_TIME, UTC_END_TIME FROM (SYS|SYS_DATABASES)\.M_BACKUP_CATALOG "
     rf"WHERE {OF}(?:\"COMMENT\" = {TEXT}|(ENTRY_TYPE_NAME = 'complete data backup' AND STATE_NAME = 'successful')) ORDER BY BACKUP_ID DESC LIMIT 1",
     Session.first),
    (rf"SELECT {COLUMNS.format('')} FROM (SYS|SYS_DATABASES)\.M_BACKUP_CATALOG_FILES WHERE {OF}BACKUP_ID = (\d+) ORDER BY DESTINATION_PATH", Session.parts),
    (rf"SELECT {COLUMNS.format('F.')} FROM (SYS|SYS_DATABASES)\.M_BACKUP_CATALOG C JOIN (SYS|SYS_DATABASES)\.M_BACKUP_CATALOG_FILES F "
     rf"ON C\.BACKUP_ID = F\.BACKUP_ID( AND C\.DATABASE_NAME = F\.DATABASE_NAME)? WHERE (?:C\.DATABASE_NAME = {TEXT} AND )?"
     r"C\.ENTRY_TYPE_NAME = 'log backup' AND C\.STATE_NAME = 'successful' AND C\.BACKUP_ID >= (\d+) ORDER BY F\.DESTINATION_PATH",
     lambda session, schema, also, same, database, since: session.logs(schema, same, also, database, since)),
    (rf"BACKUP DATA (INCREMENTAL |DIFFERENTIAL )?(?:FOR {NAME} )?USING (FILE|BACKINT) \({TEXT}\) COMMENT {TEXT}", Session.backup),
    (rf"BACKUP CANCEL (?:FOR {NAME} )?(\d+)", Session.cancel),
    (rf"ALTER SYSTEM ALTER CONFIGURATION \('global\.ini', '(SYSTEM|DATABASE)'(?:, {TEXT})?\) "
     r"SET \('backup', 'parallel_data_backup_backint_channels'\) = '([1-9]|[12]\d|3[0-2])' WITH RECONFIGURE", Session.configure),
    (rf"ALTER SYSTEM STOP DATABASE {NAME}", Session.stop),
    (rf"ALTER SYSTEM START DATABASE {NAME}", Session.start),
    (rf"CREATE DATABASE {NAME} SYSTEM USER PASSWORD {NAME}", Session.create),
    (rf"DROP DATABASE {NAME}", Session.drop),
    (rf"RECOVER DATA FOR {NAME} USING (FILE|BACKINT) \({TEXT}\) CLEAR LOG", Session.recover),
]

if __name__ == "__main__":
    tool = os.path.basename(sys.argv[0])
    if tool == "hdbsql":
        hdbsql(sys.argv[1:])
    elif tool == "hdbuserstore":
        hdbuserstore(sys.argv[1:])
    elif sys.argv[1:2] == ["install"] and len(sys.argv) == 3:
        install(sys.argv[2])
    else:
        sys.exit(__doc__)
