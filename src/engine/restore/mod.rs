//! The way back: from streams in storage to files on disk.
