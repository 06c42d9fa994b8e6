//! Agent protocol v1: the bodies are the words of `backupx_core::domain::protocol`; here they get their names in the API's description.

use backupx_core::domain::protocol;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Gives a body of the protocol a name in the API's description. On the wire it is the body itself.
macro_rules! body {
    ($($(#[$doc:meta])* $name:ident($inner:ty)),+ $(,)?) => {
        $($(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = Object)]
        pub struct $name(pub $inner);)+
    };
}

body! {
    /// An agent's first words: what it says of its host, and the leases that it believes it holds.
    AgentHello(protocol::Hello),
    /// Node id and name, the master's time, intervals, and which leases to keep or to stop.
    AgentWelcome(protocol::Welcome),
    /// A sign of life with the running leases.
    AgentHeartbeat(protocol::Heartbeat),
    /// The master's time, what to cancel, and which leases are lost.
    AgentPulse(protocol::Pulse),
    /// A question for work: `{wait, free}` for long work and short questions, with a `lane` for one of them alone.
    AgentPoll(protocol::Poll),
    /// The master's time and claimed commands, oldest first.
    AgentAssignments(protocol::Assignments),
    /// How far a command is: `{lease, progress, log: [{seq, at, level, message}]}`.
    AgentProgress(protocol::ProgressReport),
    /// The master's time, and whether somebody asked the command to stop.
    AgentProgressAnswer(protocol::ProgressAnswer),
    /// A Backint program's question: `{target}`, the name of one of its node's targets.
    AgentBackintAsk(protocol::BackintAsk),
    /// The master's time, and the target with the secrets that it takes.
    AgentBackintTarget(protocol::BackintTarget),
    /// The end of a command: `{lease, outcome, …}`.
    AgentResult(protocol::ResultReport),
}

/// Under which lease an object is relayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct RelayQuery {
    /// The lease of the command.
    pub lease: i64,
}
