//! Gusts: what a storm is made of.

use crate::faults::{Fault, Kind};
use proptest::prelude::*;

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Happens {
    Run,
    Take,
    TakeAndLose,
    Progress,
    EndWell,
    EndHalf,
    EndBadly,
    EndStopped,
    EndTwice,
    OldProgress,
    OldEnd,
    AgentForgets,
    AgentRestarts,
    Heartbeat,
    Cancel,
    Tick,
    Sweep,
    SweepElsewhere,
    Seconds(i64),
    Retry,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        4 => Just(Happens::Run),
        6 => Just(Happens::Take),
        2 => Just(Happens::TakeAndLose),
        3 => Just(Happens::Progress),
        4 => Just(Happens::EndWell),
        2 => Just(Happens::EndHalf),
        2 => Just(Happens::EndBadly),
        1 => Just(Happens::EndStopped),
        1 => Just(Happens::EndTwice),
        2 => Just(Happens::OldProgress),
        2 => Just(Happens::OldEnd),
        1 => Just(Happens::AgentForgets),
        2 => Just(Happens::AgentRestarts),
        2 => Just(Happens::Heartbeat),
        2 => Just(Happens::Cancel),
        2 => Just(Happens::Tick),
        2 => Just(Happens::Sweep),
        1 => Just(Happens::SweepElsewhere),
        4 => (1i64..2000).prop_map(Happens::Seconds),
        1 => Just(Happens::Retry),
    ]
}

/// Something that happens at one of two masters, and what goes wrong meanwhile.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gust {
    pub(crate) what: Happens,
    pub(crate) master: usize,
    pub(crate) fault: Option<Fault>,
}

pub(crate) fn gust() -> impl Strategy<Value = Gust> {
    let kind = prop_oneof![
        Just(Kind::Refused),
        Just(Kind::AnswerLost),
        Just(Kind::DiesBefore),
        Just(Kind::DiesAfter),
    ];
    let fault = (0usize..14, kind).prop_map(|(after, kind)| Fault { after, kind });
    let fault = prop_oneof![3 => Just(None), 2 => fault.prop_map(Some)];
    (happens(), 0usize..2, fault).prop_map(|(what, master, fault)| Gust {
        what,
        master,
        fault,
    })
}
