//! Streams: compressed in frames, sealed, laid down as objects, and read back at any place.
