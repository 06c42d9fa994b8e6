# shellcheck shell=bash
# Starts the servers that only the tests of storage talk to, all at once, and tells the tests where they are. Sourced after servers.sh.
#
# BACKUPX_TEST_AZBLOB_{ENDPOINT,ACCOUNT,KEY,CONTAINER}  Azurite: Azure's blob protocol
# BACKUPX_TEST_AZBLOB_{SAS,READONLY_SAS}                signatures for its account, one of which may only read and list
# BACKUPX_TEST_GCS_{ENDPOINT,BUCKET}                    fake-gcs-server: Google's protocol; takes any token
# BACKUPX_TEST_OPENSSH_{PORT,KEY,READONLY_KEY,FOLDER}   OpenSSH: files with the private keys of root, one of which may only read
# BACKUPX_TEST_FTPS_{PORT,FOLDER}                       pyftpdlib: explicit TLS; backupx may everything and reader reads, password testsecret
# BACKUPX_TEST_DAV_{ENDPOINT,FOLDER}                    Apache: backupx may everything and reader reads, password testsecret
#
# FOLDER is what the server serves, or the one to start from; below small/ in it are a few MiB alone. So they are in the bucket small of
# the weak S3 server.

start_storage() {
  [[ -z ${BACKUPX_TEST_AZBLOB_ENDPOINT:-} ]] || return 0
  small_disk "$SERVER_FOLDER/rclone/small"
  # Each says at once where it will be; the waiting comes last.
  launch_azurite && launch_gcs && launch_openssh && launch_ftps && launch_apache || return 1
  came azurite "the Azure server (Azurite)" curl -s -o /dev/null "$BACKUPX_TEST_AZBLOB_ENDPOINT" &&
    came gcs "the Google server (fake-gcs-server)" curl -sf -o /dev/null "$BACKUPX_TEST_GCS_ENDPOINT/storage/v1/b?project=test" &&
    came openssh "the SSH server (OpenSSH)" port_is_open "$BACKUPX_TEST_OPENSSH_PORT" &&
    came ftps "the FTP server (pyftpdlib)" port_is_open "$BACKUPX_TEST_FTPS_PORT" &&
    came apache "the WebDAV server (Apache)" curl -sf -o /dev/null -u backupx:testsecret -X PROPFIND -H 'Depth: 0' "$BACKUPX_TEST_DAV_ENDPOINT/" || return 1
  make_containers
}

# came NAME WHAT COMMAND…: waits for a server; shows the end of its log when it does not come.
came() {
  local name=$1
  shift
  wait_for 60 "$@" || {
    tail -n 20 "$SERVER_FOLDER/$name.log" >&2
    return 1
  }
}

# small_disk FOLDER: a file system of 6 MiB there.
small_disk() {
  mkdir -p "$1"
  mount -t tmpfs -o size=6m,mode=777 backupx-test "$1"
  SERVER_MOUNTS+=("$1")
}

launch_azurite() {
  local folder=$SERVER_FOLDER/azurite port
  mkdir "$folder"
  read -r port < <(free_ports 1)
  export BACKUPX_TEST_AZBLOB_ACCOUNT=backupx BACKUPX_TEST_AZBLOB_CONTAINER=backups
  BACKUPX_TEST_AZBLOB_KEY=$(printf 'a-key-for-tests-of-exactly-32-by' | base64)
  export BACKUPX_TEST_AZBLOB_KEY BACKUPX_TEST_AZBLOB_ENDPOINT=http://127.0.0.1:$port/backupx
  BACKUPX_TEST_AZBLOB_SAS=$(python3 "$ROOT/tests/testbed/sas.py" backupx "$BACKUPX_TEST_AZBLOB_KEY" racwdl)
  BACKUPX_TEST_AZBLOB_READONLY_SAS=$(python3 "$ROOT/tests/testbed/sas.py" backupx "$BACKUPX_TEST_AZBLOB_KEY" rl)
  export BACKUPX_TEST_AZBLOB_SAS BACKUPX_TEST_AZBLOB_READONLY_SAS
  AZURITE_ACCOUNTS="backupx:$BACKUPX_TEST_AZBLOB_KEY" in_background azurite azurite-blob --blobHost 127.0.0.1 --blobPort "$port" --location "$folder" \
    --silent --disableTelemetry --skipApiVersionCheck
}

launch_gcs() {
  local folder=$SERVER_FOLDER/gcs port
  # A folder of its root is a bucket.
  mkdir -p "$folder/backups"
  read -r port < <(free_ports 1)
  export BACKUPX_TEST_GCS_ENDPOINT=http://127.0.0.1:$port BACKUPX_TEST_GCS_BUCKET=backups
  in_background gcs "$(fake_gcs)" -scheme http -host 127.0.0.1 -port "$port" -backend filesystem -filesystem-root "$folder" \
    -public-host "127.0.0.1:$port" -external-url "http://127.0.0.1:$port"
}

launch_openssh() {
  local folder=$SERVER_FOLDER/openssh port name
  mkdir -p "$folder/files" /run/sshd
  small_disk "$folder/files/small"
  chmod 755 /run/sshd
  for name in host writer reader; do ssh-keygen -q -t ed25519 -N '' -f "$folder/$name"; done
  {
    printf 'restrict %s\n' "$(<"$folder/writer.pub")"
    printf 'restrict,command="internal-sftp -R" %s\n' "$(<"$folder/reader.pub")"
  } >"$folder/authorized"
  read -r port < <(free_ports 1)
  cat >"$folder/config" <<CONFIG
Port $port
ListenAddress 127.0.0.1
HostKey $folder/host
PidFile none
AuthorizedKeysFile $folder/authorized
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
MaxStartups 100
Subsystem sftp internal-sftp
CONFIG
  export BACKUPX_TEST_OPENSSH_PORT=$port BACKUPX_TEST_OPENSSH_FOLDER=$folder/files
  export BACKUPX_TEST_OPENSSH_KEY=$folder/writer BACKUPX_TEST_OPENSSH_READONLY_KEY=$folder/reader
  in_background openssh "$(PATH="$PATH:/usr/sbin" command -v sshd)" -D -e -f "$folder/config"
}

launch_ftps() {
  local folder=$SERVER_FOLDER/ftps port
  mkdir -p "$folder/files"
  small_disk "$folder/files/small"
  certificate "$folder" >"$folder/certificate.log" 2>&1 || {
    tail -n 20 "$folder/certificate.log" >&2
    return 1
  }
  read -r port < <(free_ports 1)
  export BACKUPX_TEST_FTPS_PORT=$port BACKUPX_TEST_FTPS_FOLDER=$folder/files
  in_background ftps "$TESTBED/${PYFTPDLIB%%==*}/bin/python" "$ROOT/tests/testbed/ftps.py" "$folder" "$port"
}

launch_apache() {
  local folder=$SERVER_FOLDER/apache modules=/usr/lib/apache2/modules port user name
  mkdir -p "$folder"/{files,locks}
  small_disk "$folder/files/small"
  for user in backupx reader; do printf '%s:%s\n' "$user" "$(openssl passwd -apr1 testsecret)"; done >"$folder/users"
  read -r port < <(free_ports 1)
  {
    for name in mpm_event authn_core authn_file authz_core authz_user auth_basic dav dav_fs; do
      printf 'LoadModule %s_module %s/mod_%s.so\n' "$name" "$modules" "$name"
    done
    cat <<CONFIG
ServerName 127.0.0.1
Listen 127.0.0.1:$port
PidFile $folder/pid
ErrorLog $folder/error.log
DavLockDB $folder/locks/db
DocumentRoot $folder/files
User www-data
Group www-data
<Directory $folder/files>
  Dav On
  AuthType Basic
  AuthName backups
  AuthUserFile $folder/users
  <Limit GET HEAD OPTIONS PROPFIND>
    Require valid-user
  </Limit>
  <LimitExcept GET HEAD OPTIONS PROPFIND>
    Require user backupx
  </LimitExcept>
</Directory>
CONFIG
  } >"$folder/config"
  chown -R www-data "$folder"
  export BACKUPX_TEST_DAV_ENDPOINT=http://127.0.0.1:$port BACKUPX_TEST_DAV_FOLDER=$folder/files
  in_background apache "$(PATH="$PATH:/usr/sbin" command -v apache2)" -f "$folder/config" -DFOREGROUND
}

# What has to be there before a target is used. By rclone, so that nothing of the program is needed for it.
make_containers() {
  RCLONE_CONFIG=/dev/null RCLONE_AZUREBLOB_ACCOUNT=$BACKUPX_TEST_AZBLOB_ACCOUNT RCLONE_AZUREBLOB_KEY=$BACKUPX_TEST_AZBLOB_KEY \
    RCLONE_AZUREBLOB_ENDPOINT=$BACKUPX_TEST_AZBLOB_ENDPOINT rclone -q mkdir ":azureblob:$BACKUPX_TEST_AZBLOB_CONTAINER"
}
