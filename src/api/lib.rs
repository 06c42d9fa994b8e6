//! Wire types of REST v1 and of the agent protocol.
