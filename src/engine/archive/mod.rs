//! The archive: entries as a pax tar stream, and the index beside it.
