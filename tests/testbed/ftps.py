"""An FTP server with explicit TLS: `ftps.py FOLDER PORT`. `backupx` may everything below FOLDER/files, `reader` reads; the password is testsecret."""

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

folder, port = sys.argv[1], int(sys.argv[2])
users = DummyAuthorizer()
users.add_user("backupx", "testsecret", f"{folder}/files", perm="elradfmwMT")
users.add_user("reader", "testsecret", f"{folder}/files", perm="elr")


class Handler(TLS_FTPHandler):
    """Nothing passes in the open."""

    authorizer = users
    certfile = f"{folder}/server.pem"
    keyfile = f"{folder}/server.key"
    tls_control_required = True
    tls_data_required = True


ThreadedFTPServer(("127.0.0.1", port), Handler).serve_forever()
