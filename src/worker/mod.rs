//! The worker: claims runs that are due over the API, starts a child for each, tells what it says and hands over what
//! it leaves. Never opens a home; all it knows of a run it was given.

pub mod child;
pub mod rounds;
pub mod work;
