//! A mail as its bytes: the headers that make it one, the text, and the same in HTML.
//! The same message makes the same bytes; never a random boundary, never a clock.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message as Mail};

use crate::alert::message::{Content, Message};
use crate::alert::settings::channel::Smtp;
use crate::notify::error::NotifyError;

/// Says to programs that read mail which message it is, and whether it may be a repetition.
const MESSAGE: &str = "X-Tallystick-Message";
const MAY_REPEAT: &str = "X-Tallystick-May-Repeat";

pub fn address(text: &str) -> Result<Address, NotifyError> {
    text.parse::<Address>().map_err(|error| NotifyError::Message { why: format!("{text:?}: {error}") })
}

pub fn bytes(smtp: &Smtp, message: &Message) -> Result<Vec<u8>, NotifyError> {
    let Content::Mail { subject, plain, html, urgent } = &message.content else {
        return Err(NotifyError::Message { why: "it is no mail".to_string() });
    };
    let from = address(&smtp.from)?;
    let since_epoch = Duration::from_millis(u64::try_from(message.at_ms).unwrap_or_default());
    let id = format!("<{}.tallystick@{}>", message.id, from.domain());
    let mut mail = Mail::builder()
        .from(Mailbox::new(None, from))
        .date(UNIX_EPOCH + since_epoch)
        .message_id(Some(id))
        .subject(subject.clone());
    for to in &smtp.to {
        mail = mail.to(Mailbox::new(None, address(to)?));
    }
    // RFC 3834: nobody's absence note answers it.
    mail = mail.raw_header(header("Auto-Submitted", "auto-generated")?);
    mail = mail.raw_header(header(MESSAGE, &message.id)?);
    if message.may_repeat {
        mail = mail.raw_header(header(MAY_REPEAT, "yes")?);
    }
    if *urgent {
        mail = mail.raw_header(header("Importance", "high")?);
    }
    let parts = MultiPart::alternative()
        .boundary(format!("part-{}", message.id))
        .singlepart(SinglePart::plain(plain.clone()))
        .singlepart(SinglePart::html(html.clone()));
    let mail = mail.multipart(parts).map_err(|error| NotifyError::Message { why: error.to_string() })?;
    Ok(mail.formatted())
}

fn header(name: &'static str, value: &str) -> Result<HeaderValue, NotifyError> {
    let name = HeaderName::new_from_ascii(name.to_string());
    let name = name.map_err(|error| NotifyError::Message { why: error.to_string() })?;
    Ok(HeaderValue::new(name, value.to_string()))
}
