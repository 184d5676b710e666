//! Small tables for the tests of this room, and its laws.
