//! A worker inside the test's own process: what a worker and its child do, without a child. The home's clock may be any.

use std::collections::BTreeMap;
use std::io::Cursor;

use tallystick::app::datasets::read_for_child;
use tallystick::app::home::App;
use tallystick::app::training::OrderRow;
use tallystick::app::training::registering::Worked;
use tallystick::app::training::work;
use tallystick::base::cancel::CancelFlag;
use tallystick::base::digest::Digest;
use tallystick::base::fact::Failure;
use tallystick::base::progress::Silent;
use tallystick::config::project::Project;
use tallystick::pipeline::child::events::Event;
use tallystick::pipeline::flow;
use tallystick::security::actor::{Person, Role};

/// Works on every run that waits; answers how many there were.
pub fn work_off(app: &App) -> usize {
    let worker = app.as_person(Person::of("worker", &[Role::Worker]).unwrap());
    let mut worked = 0;
    while let Some(order) = work::claim(&worker, "hand", None).unwrap() {
        match trained(&worker, &order) {
            Ok(()) => {}
            Err(error) => {
                // A run that failed is closed with why; that nothing is left to close is no fault.
                let _ = work::fail(&worker, &order.run_id, Event::failed(&error));
            }
        }
        worked += 1;
    }
    worked
}

fn trained(app: &App, order: &OrderRow) -> Result<(), Failure> {
    let project = Project::from_texts(order.project.clone(), &order.overrides)?;
    let path = work::data(app, &order.run_id)?;
    let table = read_for_child(&project, &path, order.content)?;
    let candidate = flow::train(&project, table, &CancelFlag::new(), &Silent)?;
    let folder = tempfile::tempdir().unwrap();
    candidate.write(folder.path())?;
    let mut files: BTreeMap<String, Vec<u8>> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    let contents = String::from_utf8(files.remove("contents.json").unwrap()).unwrap();
    for (name, bytes) in files {
        let named: Digest = name.parse().unwrap();
        work::candidate_file(app, &order.run_id, named, &mut Cursor::new(bytes))?;
    }
    let worked = Worked { contents, model: candidate.pack.digest, train_seconds: 0.1 };
    work::finish(app, &order.run_id, worked)
}
