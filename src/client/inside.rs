//! The way inside this process: the server's own router, without a socket.
//! Never gets around it: who asks is authorised, and what comes back is bounded, as anywhere else.

use std::sync::Arc;

use tower::ServiceExt as _;

use crate::client::answer::{Answer, read};
use crate::client::error::ClientError;
use crate::client::wire::Question;
use crate::http::auth::Origin;
use crate::http::router::router;
use crate::http::server::Server;
use crate::security::actor::Person;

pub const HERE: &str = "this process";

pub struct Inside {
    server: Arc<Server>,
    person: Person,
}

impl Inside {
    pub fn new(server: Arc<Server>, person: Person) -> Self {
        Self { server, person }
    }

    pub async fn send(&self, question: Question<'_>) -> Result<Answer, ClientError> {
        let Question { mut request, sink, .. } = question;
        request.extensions_mut().insert(Origin::Process(self.person.clone()));
        let response = match router(Arc::clone(&self.server)).oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        read(response, sink, HERE).await
    }
}
