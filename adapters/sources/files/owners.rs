//! Names of owners, each asked of the host once.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;

/// Names of users and groups by id.
#[derive(Debug, Default)]
pub(super) struct Owners {
    users: HashMap<u32, Option<Vec<u8>>>,
    groups: HashMap<u32, Option<Vec<u8>>>,
}

impl Owners {
    /// The user's name where the host knows one.
    pub(super) fn user(&mut self, id: u32) -> Option<Vec<u8>> {
        self.users
            .entry(id)
            .or_insert_with(|| {
                uzers::get_user_by_uid(id).map(|user| user.name().as_bytes().to_vec())
            })
            .clone()
    }

    /// The group's name where the host knows one.
    pub(super) fn group(&mut self, id: u32) -> Option<Vec<u8>> {
        self.groups
            .entry(id)
            .or_insert_with(|| {
                uzers::get_group_by_gid(id).map(|group| group.name().as_bytes().to_vec())
            })
            .clone()
    }
}
