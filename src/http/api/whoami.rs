//! Who the server takes the sender for.

use crate::http::call::{Call, Reply, view};
use crate::http::views::status::WhoAmI;
use crate::security::actor::Act;

pub fn show(call: Call) -> Reply {
    Box::pin(async move {
        call.app.may(Act::ReadStatus)?;
        view(&WhoAmI::of(call.app.person()))
    })
}
