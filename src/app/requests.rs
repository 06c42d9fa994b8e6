//! Requests: short questions to a node, and waiting for the answer.
