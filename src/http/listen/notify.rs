//! What systemd is told: ready, stopping, and that the server is well, which is asked before it is said.
//! Without systemd nothing is told to anybody.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::base::limits;

/// Whether the server is well; asked on a thread that may wait.
pub type Probe = Arc<dyn Fn() -> bool + Send + Sync>;

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager was not told");
    }
}

pub fn ready() {
    tell(&[NotifyState::Ready]);
}

pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Feeds the watchdog, where there is one, for as long as the probe says yes in time. A server that is ill
/// or hangs is not spoken for: systemd restarts it.
pub async fn keep_watchdog(probe: Probe) {
    let Some(interval) = sd_notify::watchdog_enabled() else { return };
    let mut ticks = tokio::time::interval(interval / 2);
    loop {
        ticks.tick().await;
        if is_well(&probe).await {
            tell(&[NotifyState::Watchdog]);
        } else {
            tracing::error!("the health probe failed; the watchdog is not fed");
        }
    }
}

pub async fn is_well(probe: &Probe) -> bool {
    let probe = Arc::clone(probe);
    let asked = tokio::task::spawn_blocking(move || probe());
    let limit = Duration::from_millis(limits::HEALTH_PROBE_MS);
    matches!(tokio::time::timeout(limit, asked).await, Ok(Ok(true)))
}
