//! As many alerts as are kept: one a day for years, the rest in the last months; most are told and closed.

use std::path::Path;

use tallystick::alert::limits::ALERTS_MAX;
use tallystick::alert::queue::Queue;
use tallystick::alert::raised::{Detail, Kind, RawAlert, Severity, Subject};
use tallystick::alert::settings::AlertSettings;
use tallystick::app::chains::projects::Applied;
use tallystick::base::clock::iso_date;
use tallystick::base::ids::RunId;
use tallystick::base::rng::Random;
use tallystick::config::alerting::load_alerts;
use tallystick::store::open::Store;

use crate::{DAY_MS, Wanted};

/// Days at the end that have most of them: what is closed for longer is let go of.
const BUSY_DAYS: u64 = 80;
/// Days that an alert stays open.
const OPEN_DAYS: usize = 2;

pub fn fill(store: &Store, home: &Path, wanted: &Wanted, applied: &[Applied]) -> usize {
    let settings = load_alerts(home).unwrap();
    let (mut queue, mut random, mut open) = (Queue::default(), Random::new(4, "fill_lab.alerts"), Vec::new());
    let quiet_days = wanted.days.saturating_sub(BUSY_DAYS) as usize;
    let busy = ALERTS_MAX.saturating_sub(quiet_days) / (wanted.days as usize - quiet_days).max(1);
    let mut raised = 0;
    for day in wanted.today - wanted.days..wanted.today {
        let now_ms = day as i64 * DAY_MS + 21_600_000;
        let count = if wanted.today - day > BUSY_DAYS { 1 } else { busy };
        let ids: Vec<String> = (0..count)
            .map(|at| {
                let raw = alert_of(&applied[at % applied.len()], day, at, &mut random);
                let id = raw.id.clone();
                queue.raise(&settings, raw, now_ms).unwrap();
                id
            })
            .collect();
        raised += ids.len();
        tell(&mut queue, &settings, now_ms + 1_000);
        open.push(ids);
        if open.len() > OPEN_DAYS {
            for id in open.remove(0) {
                queue.acknowledge(&id, "olga", "looked at, the feed is being repaired", now_ms).unwrap();
                queue.resolve(&id, now_ms).unwrap();
            }
        }
        let rows = queue.take_changed();
        store.write_lab(move |lab| lab.put_queue_rows(&rows)).unwrap();
    }
    raised
}

fn tell(queue: &mut Queue, settings: &AlertSettings, now_ms: i64) {
    loop {
        let due = queue.due(settings, now_ms);
        if due.is_empty() {
            return;
        }
        for parcel in due {
            queue.note_sending(&parcel.id).unwrap();
            queue.note_sent(settings, &parcel.id, now_ms).unwrap();
        }
    }
}

fn alert_of(one: &Applied, day: u64, at: usize, random: &mut Random) -> RawAlert {
    let (model, day) = (&one.row.name, iso_date(day as f64).unwrap());
    let severity = [Severity::Info, Severity::Warning, Severity::Critical][random.below(3)];
    let detail = |name: &str, value: &str| Detail { name: name.into(), value: value.into() };
    RawAlert {
        id: RunId::draw().to_string(),
        key: format!("rule/field-shifted/{model}/{day}/{at}"),
        kind: Kind::Drift,
        severity,
        subject: Subject { project: Some(model.clone()), model: Some(format!("{model}@1")), chain: None },
        title: format!("field-shifted: field {at} of {model}"),
        sentences: vec![format!("The stability index of field {at} is 0.31, above 0.25, on {day}.")],
        details: vec![detail("rule", "field-shifted"), detail("day", &day), detail("value", "0.3100")],
        link: Some(format!("/monitoring/{model}/{day}")),
    }
}
