//! Access: what a node needs to open targets and streams for one command, and no more.
