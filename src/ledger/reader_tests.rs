//! The log and a release folder as the Python reader sees them.
