//! The threads of a server that nobody asks for anything: one moves the chains, one tells alerts. Each ends with the
//! server, and one that goes wrong at a beat goes on at the next.

use std::thread::JoinHandle;
use std::time::Duration;

use crate::app::alerts::telling::{self, Outgoing};
use crate::app::chains::beat;
use crate::app::home::App;
use crate::base::cancel::CancelFlag;
use crate::base::fact::Failure;
use crate::base::limits;
use crate::notify::{Ground, deliver};

/// How often a waiting thread looks whether it is to end.
const LOOK_MS: u64 = 20;

/// Messages that are taken up together.
const TOGETHER: usize = 8;

pub fn start_schedule(app: &App, stop: &CancelFlag) -> std::io::Result<JoinHandle<()>> {
    let (app, stop) = (app.clone(), stop.clone());
    std::thread::Builder::new().name("schedule".into()).spawn(move || {
        while !stop.is_cancelled() {
            // What went wrong is in the log; the next beat tries again.
            let _ = beat::beat(&app);
            rest(&stop, limits::SCHEDULE_BEAT_MS);
        }
    })
}

pub fn start_notifier(app: &App, stop: &CancelFlag) -> std::io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (app, stop) = (app.clone(), stop.clone());
    let ground = ground(&app);
    std::thread::Builder::new().name("notifier".into()).spawn(move || {
        let mut pruned_ms: Option<u64> = None;
        while !stop.is_cancelled() {
            prune(&app, &mut pruned_ms);
            let told = telling::take_due(&app, TOGETHER)
                .and_then(|due| due.into_iter().try_for_each(|one| tell(&app, &runtime, &ground, one)));
            if let Err(error) = told {
                tracing::error!(code = error.code(), cause = %error, "alerts could not be told");
            }
            rest(&stop, limits::NOTIFY_BEAT_MS);
        }
    })
}

/// Lets go of alerts that were closed long ago: at the start, and now and then.
fn prune(app: &App, pruned_ms: &mut Option<u64>) {
    let now_ms = app.elapsed_ms();
    if pruned_ms.is_some_and(|last| now_ms.saturating_sub(last) < limits::ALERTS_PRUNED_MS) {
        return;
    }
    *pruned_ms = Some(now_ms);
    if let Err(error) = telling::prune(app) {
        tracing::error!(code = error.code(), cause = %error, "old alerts could not be let go of");
    }
}

fn ground(app: &App) -> Ground {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(Into::into);
    Ground::of_home(app.alerts_folder(), credentials)
}

/// One attempt, and what came of it written down.
pub fn tell(
    app: &App,
    runtime: &tokio::runtime::Runtime,
    ground: &Ground,
    outgoing: Outgoing,
) -> Result<(), Failure> {
    let Outgoing { parcel, channel, message } = outgoing;
    match runtime.block_on(deliver(&channel, &message, ground)) {
        Ok(_) => telling::note_sent(app, &parcel.id),
        Err(error) => {
            tracing::warn!(channel = channel.name, cause = %error, "an alert was not delivered");
            telling::note_failed(app, &parcel.id, &error.miss())
        }
    }
}

fn rest(stop: &CancelFlag, most_ms: u64) {
    let mut rested = 0;
    while rested < most_ms && !stop.is_cancelled() {
        std::thread::sleep(Duration::from_millis(LOOK_MS));
        rested += LOOK_MS;
    }
}
