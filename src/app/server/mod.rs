//! What a server of the home needs beside its use cases: how it is, and who it is to those who connect.
//! Knows no protocol.

pub mod figures;
pub mod health;
pub mod identity;
