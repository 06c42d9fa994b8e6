//! How streams are cut for services.

/// Bytes of the first volumes of a stream.
pub(crate) const VOLUME_BYTES: u64 = 16 << 20;
/// Volumes on their way at the same time.
pub(crate) const PARALLEL: usize = 4;
