//! Who the server takes the sender for.

use crate::http::call::{Call, Reply, view};
use crate::http::views::status::WhoAmI;

pub fn show(call: Call) -> Reply {
    let who = WhoAmI::of(call.app.person());
    Box::pin(async move { view(&who) })
}
