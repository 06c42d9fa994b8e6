//! Scripts: each change of the queue and of presence, as one atomic step.

use deadpool_redis::redis::Script;
use std::sync::LazyLock;

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $file:literal),+ $(,)?) => {
        $($(#[$doc])* pub(crate) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("scripts/common.lua"), include_str!(concat!("scripts/", $file))))
        });)+
    };
}

scripts!(
    ENQUEUE = "enqueue.lua",
    CLAIM = "claim.lua",
    DUE = "due.lua",
    /// Of one lease or of many.
    RENEW = "renew.lua",
    FINISH = "finish.lua",
    RELEASE = "release.lua",
    WITHDRAW = "withdraw.lua",
    CANCEL = "cancel.lua",
    CLOSE = "close.lua",
    EXPIRE = "expire.lua",
    PURGE = "purge.lua",
    CLAIMED_BY = "claimed_by.lua",
    CLAIMED = "claimed.lua",
    UNCONFIRMED = "unconfirmed.lua",
    FIND = "find.lua",
    FIND_ALL = "find_all.lua",
    /// Of one node or of many.
    SEEN = "seen.lua",
    TAKE_OFFLINE = "take_offline.lua",
    FORGET = "forget.lua",
);
