"""A shared access signature of an Azure account: `sas.py ACCOUNT KEY RIGHTS`, good for a day."""

import base64
import datetime
import hashlib
import hmac
import sys
import urllib.parse

account, key, rights = sys.argv[1:]
ends = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
fields = {
    "sp": rights,
    "ss": "b",
    "srt": "co",
    "st": "",
    "se": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "sip": "",
    "spr": "https,http",
    "sv": "2018-11-09",
}
signed = "".join(f"{value}\n" for value in (account, *fields.values()))
fields["sig"] = base64.b64encode(hmac.digest(base64.b64decode(key), signed.encode(), hashlib.sha256)).decode()
print(urllib.parse.urlencode({name: value for name, value in fields.items() if value}))
