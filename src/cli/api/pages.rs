//! Lists put together from their pages, and parts of views read as what they are.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::base::limits;
use crate::client::call::Client;
use crate::client::error::ClientError;
use crate::client::target::Target;

/// Every item of a list; `split` takes a page apart into its items and the cursor of the next.
pub fn every<P, T>(
    client: &Client,
    target: Target,
    split: impl Fn(P) -> (Vec<T>, Option<String>),
) -> Result<Vec<T>, ClientError>
where
    P: DeserializeOwned,
{
    let (mut all, mut next) = split(client.get(&target)?);
    while let Some(cursor) = next {
        if all.len() >= limits::CLIENT_ITEMS_MAX {
            let max = limits::CLIENT_ITEMS_MAX;
            return Err(ClientError::TooMany { to: client.to().to_string(), max });
        }
        let (more, then) = split(client.get(&target.clone().with("cursor", cursor))?);
        all.extend(more);
        next = then;
    }
    Ok(all)
}

/// A part of a view that is sent as an object of its own kind.
pub fn typed<T: DeserializeOwned>(client: &Client, value: Value) -> Result<T, ClientError> {
    let strange = |_| ClientError::Strange { to: client.to().to_string(), status: 200 };
    serde_json::from_value(value).map_err(strange)
}
