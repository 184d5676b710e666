//! What is to be told now, as messages; and what came of telling it.
//! Never opens a connection.

use crate::alert::message::{Message, Origin, write};
use crate::alert::queue::{Miss, Parcel};
use crate::alert::settings::channel::Channel;
use crate::app::home::App;
use crate::base::fact::Failure;

/// One message and the channel it goes by. It is written down as being sent.
pub struct Outgoing {
    pub parcel: Parcel,
    pub channel: Channel,
    pub message: Message,
}

/// What is due. Of each, it is written down that it is being sent before it is handed out.
pub fn take_due(app: &App, most: usize) -> Result<Vec<Outgoing>, Failure> {
    let now = app.now().millis();
    // Most beats find nothing; that is worth no transaction.
    let next = app.alerts.next_ms(app)?;
    if next.is_none_or(|next| next > now) {
        return Ok(Vec::new());
    }
    let origin = Origin {
        host: host_name(),
        branch: app.settings().branch.clone(),
        pages: app.alerts.settings().pages().map(str::to_string),
    };
    let due = app.alerts.change(
        app,
        |_| Ok(()),
        |queue, settings| {
            let due = queue.due(settings, now);
            due.into_iter()
                .take(most)
                .map(|parcel| queue.note_sending(&parcel.id))
                .collect::<Result<Vec<_>, _>>()
        },
    )?;
    let mut outgoing = Vec::new();
    for parcel in due {
        let Some(channel) = app.alerts.settings().find_channel(&parcel.channel).cloned() else { continue };
        let message = app.alerts.look(app, |queue| write(queue, &parcel, &channel, &origin, now))?;
        outgoing.extend(message.map(|message| Outgoing { parcel, channel, message }));
    }
    Ok(outgoing)
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

pub fn note_sent(app: &App, parcel: &str) -> Result<(), Failure> {
    let now = app.now().millis();
    app.alerts.change(app, |_| Ok(()), |queue, settings| queue.note_sent(settings, parcel, now))
}

pub fn note_failed(app: &App, parcel: &str, miss: &Miss) -> Result<(), Failure> {
    let now = app.now().millis();
    app.alerts.change(app, |_| Ok(()), |queue, settings| queue.note_failed(settings, parcel, miss, now))?;
    Ok(())
}

/// Lets go of alerts that were closed long ago.
pub fn prune(app: &App) -> Result<(), Failure> {
    let now = app.now().millis();
    // Most often there is none; that is worth no transaction.
    if !app.alerts.look(app, |queue| queue.has_old(now))? {
        return Ok(());
    }
    app.alerts.change(
        app,
        |_| Ok(()),
        |queue, _| {
            queue.prune(now);
            Ok(())
        },
    )
}
