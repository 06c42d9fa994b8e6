//! Prints the description of the API: `cargo run -p backupx-http --example openapi > web/openapi.json`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(backupx_http::openapi_json().as_bytes())
}
