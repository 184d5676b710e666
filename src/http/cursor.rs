//! Pages of a list: an opaque cursor names the last item that was seen.
//! An item that comes or goes between two pages moves no other: nothing is seen twice, nothing is passed over.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::limits;
use crate::http::call::Ask;
use crate::http::problem::HttpError;

/// Tells a cursor of ours from any other text, and this spelling from a later one.
const MARK: &str = "c1.";

pub fn cursor_of(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{MARK}{key}"))
}

/// The key of the last item that was seen.
pub fn seen(ask: &Ask) -> Result<Option<String>, HttpError> {
    let Some(text) = ask.query("cursor") else { return Ok(None) };
    let wrong = || HttpError::Query { name: "cursor".into(), why: "is none that this server gave".into() };
    if text.len() > limits::CURSOR_CHARS_MAX {
        return Err(wrong());
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    text.strip_prefix(MARK).map(|key| Some(key.to_string())).ok_or_else(wrong)
}

/// The cursor after a page that was read to its limit.
pub fn next_of<T>(items: &[T], limit: usize, key_of: impl Fn(&T) -> &str) -> Option<String> {
    items.last().filter(|_| items.len() == limit).map(|last| cursor_of(key_of(last)))
}

/// A page of items that lie sorted by their keys in rising order, and the cursor of the next.
pub fn page<T>(
    items: Vec<T>,
    key_of: impl Fn(&T) -> String,
    ask: &Ask,
) -> Result<(Vec<T>, Option<String>), HttpError> {
    let (after, limit) = (seen(ask)?, ask.limit()?);
    let mut rest: Vec<T> =
        items.into_iter().filter(|item| after.as_ref().is_none_or(|after| key_of(item) > *after)).collect();
    let more = rest.len() > limit;
    rest.truncate(limit);
    let next = rest.last().filter(|_| more).map(|last| cursor_of(&key_of(last)));
    Ok((rest, next))
}
