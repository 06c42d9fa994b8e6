//! Backint as a database uses it: the built program, real pipes and files, real storage, and no master but where one is named.

mod calls;
mod channels;
mod ends;
mod node_token;
mod scene;

use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    [
        calls::trials(),
        channels::trials(),
        ends::trials(),
        node_token::trials(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
