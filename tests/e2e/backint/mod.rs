//! Backint as a database uses it: the built program, real pipes and files, real storage, and no master anywhere.

mod calls;
mod channels;
mod ends;
mod scene;

use libtest_mimic::Trial;

pub(crate) fn trials() -> Vec<Trial> {
    [calls::trials(), channels::trials(), ends::trials()]
        .into_iter()
        .flatten()
        .collect()
}
