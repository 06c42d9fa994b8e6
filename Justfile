# What people type. `just` alone lists it.

[private]
default:
    @just --list --unsorted

# A master with the embedded defaults and a backup of PATHS, made, verified, restored and compared.
run *PATHS:
    cargo run --release -- quickstart {{ PATHS }}

# Everything CI runs, or the named parts of it (`just test unit e2e`; `tests/run --list` names them).
test *PARTS:
    tests/run {{ PARTS }}

# Formatting, lints, licences and bans, shell scripts and unit files.
lint:
    tests/run fmt clippy deny infra

# Formats the Rust sources.
fmt:
    cargo fmt --all

# Ours beside tar, zstd, age, restic and borg, in one run; `just bench fleet`: thousands of agents against one master; `just bench dumps`: large databases beside the bare tools; `just bench import`: a new master takes over 10,000 backups.
bench *ARGS:
    benches/run {{ ARGS }}

# The console into web/dist, from where the binary embeds it.
web:
    cd web && npm ci --no-audit --no-fund && npm run build

# A master with 100,000 records, 2,000 tasks and 1,000 nodes to look at; Ctrl-C ends it.
seed *ARGS:
    benches/console/run --serve {{ ARGS }}

# Every page of the console into docs/images, as the end-to-end tests see it.
screenshots:
    BACKUPX_SHOTS="{{ justfile_directory() }}/docs/images" tests/run console

# The API's description from the code into web/openapi.json, and the console's types from it.
openapi:
    cargo run --quiet --package backupx-http --example openapi > web/openapi.json
    cd web && npm run openapi

# The documentation of the crates.
docs:
    cargo doc --workspace --no-deps --document-private-items

# The release binary, at target/release/backupx.
release:
    cargo build --release --locked

# A shell in which the test servers run and the BACKUPX_TEST_… variables are set.
shell:
    tests/run shell
