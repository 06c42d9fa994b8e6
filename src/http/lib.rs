//! The HTTP face of the master: routes, auth, live streams, console assets.
