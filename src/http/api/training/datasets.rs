//! Data sets that are kept.

use crate::app::datasets;
use crate::http::call::{Call, Reply, view};
use crate::http::cursor::page;
use crate::http::views::work::{DataSet, DataSetList};

pub fn list(call: Call) -> Reply {
    call.answer(|app, ask| {
        let sets = datasets::list(app)?.iter().map(DataSet::of).collect();
        // A space comes before all that a name may have, so that the keys lie as the sets do.
        let (datasets, next) = page(sets, |set: &DataSet| format!("{} {}", set.name, set.content), ask)?;
        view(&DataSetList { datasets, next })
    })
}
