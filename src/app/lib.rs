//! Use-cases of the control plane over the ports.
//!
//! [`App`] holds the ports and nothing else that matters: any replica may serve any call, run any [`App::tick`] or [`App::sweep`].
//! One file holds one noun with its verbs; a person's calls take the [`Principal`](backupx_core::domain::account::Principal) first,
//! an agent's calls the id of the node that its token proved.

mod access;
mod accounts;
mod adopt;
mod after_run;
mod answers;
mod api_keys;
mod app;
mod assign;
mod backint;
mod cancels;
mod dispatch;
mod download;
mod drills;
mod ends;
mod events;
mod evidence;
mod followers;
mod guard;
mod heard;
mod keys;
mod leases;
mod link;
mod logs;
mod lookout;
mod nodes;
mod operations;
mod passwords;
mod plan;
mod pools;
mod records;
mod relay;
mod removals;
mod reports;
mod requests;
mod restores;
mod results;
mod retention;
mod retries;
mod schedule;
mod set_up;
mod sign_in;
mod sources;
mod sweep;
mod targets;
mod tasks;
mod timetable;
mod tokens;
mod vault;
mod verifications;

pub use accounts::{ChangedUser, NewUser, UserView};
pub use adopt::{Adopted, ImportStep, Skipped};
pub use api_keys::{AddedApiKey, ApiKeyView};
pub use app::{App, AppSettings, Figures, Ports};
pub use download::Download;
pub use keys::{Key, RecoveryKit};
pub use link::InProcessLink;
pub use nodes::{AddedNode, NodeView};
pub use schedule::TickReport;
pub use sign_in::SignedIn;
pub use sources::WithSecrets;
pub use sweep::SweepReport;
pub use targets::{ChangedTarget, NewTarget, TargetView};
pub use vault::derive_key;
