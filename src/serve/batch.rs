//! A whole file to scores: streamed in bounded memory, resumable after any crash, and visible only whole.
//! Never lets a row vanish: each is in the scores or in the quarantine.

pub mod error;
pub mod folder;
pub mod journal;
pub mod manifest;
pub mod output;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::base::cancel::CancelFlag;
use crate::base::clock::Clock;
use crate::base::fact::Failure;
use crate::base::fault;
use crate::base::files::at;
use crate::base::progress::Progress;
use crate::data::import::reader::{Chunk, Purpose, Reader};
use crate::data::quarantine::QuarantineLayout;
use crate::data::write::records::{RecordBuffer, records_to_parquet};
use crate::serve::batch::error::BatchError;
use crate::serve::batch::folder::{PartFolder, final_folder, point_latest};
use crate::serve::batch::journal::{Journal, RowCounts};
use crate::serve::batch::manifest::{Content, InputFile, Manifest, Output, Run, Subject};
use crate::serve::batch::output::{BatchOptions, OutputFormat, OutputPlan};
use crate::serve::champion::Champion;

const SCORES: &str = "scores.csv";
const SCORES_PARQUET: &str = "scores.parquet";
const QUARANTINE: &str = "quarantine.csv";

/// What is to be scored, and where the folder of it goes.
pub struct BatchOrder<'a> {
    pub input: &'a Path,
    pub out: &'a Path,
    pub options: BatchOptions,
    /// Rows held in memory at a time; the result does not depend on it.
    pub chunk_rows: usize,
}

/// Who watches the work: its progress, whether it is to stop, and the time it is told in `run`.
pub struct Watch<'a> {
    pub progress: &'a dyn Progress,
    pub cancel: &'a CancelFlag,
    pub clock: &'a dyn Clock,
    /// Puts a finished batch on record; it becomes visible only after that.
    pub record: &'a dyn Fn(&Manifest) -> Result<(), Failure>,
}

#[derive(Clone, Debug)]
pub struct BatchResult {
    pub folder: PathBuf,
    pub manifest: Manifest,
    /// The same batch was finished before; nothing was scored again.
    pub reused: bool,
    /// Rows taken over from an earlier, interrupted run.
    pub resumed_rows: u64,
}

/// Scores the input by the champion; decides as well where the champion has a policy.
pub fn run(
    champion: &Champion,
    order: &BatchOrder<'_>,
    watch: &Watch<'_>,
) -> Result<BatchResult, BatchError> {
    if order.chunk_rows == 0 {
        return Err(BatchError::NoChunk);
    }
    if champion.policy().is_some() {
        champion.deciding_policy()?;
    }
    let contract = &champion.loaded().content.contract;
    let plan = OutputPlan::new(contract, champion.policy().is_some())?;
    watch.progress.stage("digest", 0);
    let subject = Subject {
        input: InputFile::of(order.input)?,
        release: champion.release().digest(),
        policy: champion.policy_digest(),
        options: order.options,
    };
    let id = subject.id()?;
    if let Some(result) = find_finished(order, &subject, &id)? {
        return Ok(result);
    }
    let folder = PartFolder::open(order.out, &id)?;
    // Another run may have finished between the look and the lock.
    if let Some(result) = find_finished(order, &subject, &id)? {
        folder.discard()?;
        return Ok(result);
    }
    let batch = Batch { champion, order, watch, plan, subject, id, folder };
    batch.run()
}

/// The finished batch of this id, verified, with `latest` pointing to it.
fn find_finished(
    order: &BatchOrder<'_>,
    subject: &Subject,
    id: &str,
) -> Result<Option<BatchResult>, BatchError> {
    let folder = final_folder(order.out, id);
    if !folder.try_exists().map_err(at(&folder))? {
        return Ok(None);
    }
    let Some(manifest) = Manifest::find_verified(&folder, subject)? else {
        return Err(BatchError::Altered { path: folder, what: "there is no manifest.json".to_string() });
    };
    point_latest(order.out, id)?;
    Ok(Some(BatchResult { folder, manifest, reused: true, resumed_rows: 0 }))
}

struct Batch<'a> {
    champion: &'a Champion,
    order: &'a BatchOrder<'a>,
    watch: &'a Watch<'a>,
    plan: OutputPlan,
    subject: Subject,
    id: String,
    folder: PartFolder,
}

/// The part files at the length the journal says.
struct Parts {
    journal: Journal,
    scores: File,
    quarantine: File,
}

impl Batch<'_> {
    fn run(self) -> Result<BatchResult, BatchError> {
        // A run that died between its manifest and the rename has nothing left to do but that.
        if let Ok(Some(manifest)) = Manifest::find_verified(self.folder.path(), &self.subject) {
            let resumed_rows = manifest.content.rows.read;
            return self.publish(manifest, resumed_rows);
        }
        let contract = &self.champion.loaded().content.contract;
        let mut reader = Reader::open(self.order.input, contract, Purpose::Scoring)?;
        let layout = QuarantineLayout::new(reader.file_columns(), contract);
        let mut parts = match self.find_parts()? {
            Some(parts) => parts,
            None => self.begin_parts(&layout)?,
        };
        let resumed_rows = parts.journal.rows.read;
        if reader.skip_rows(resumed_rows)? != resumed_rows {
            return self.refuse_changed_input();
        }
        self.score_all(&mut reader, &layout, &mut parts)?;
        if InputFile::of(self.order.input)? != self.subject.input {
            return self.refuse_changed_input();
        }
        let manifest = self.finish_parts(parts)?;
        self.publish(manifest, resumed_rows)
    }

    fn refuse_changed_input(self) -> Result<BatchResult, BatchError> {
        self.folder.discard()?;
        Err(BatchError::InputChanged { path: self.order.input.to_path_buf() })
    }

    /// The part files of an earlier run, cut back to what its journal vouches for.
    fn find_parts(&self) -> Result<Option<Parts>, BatchError> {
        let Some(journal) = Journal::find(self.folder.path(), &self.id)? else { return Ok(None) };
        let scores = self.folder.open_part_at(SCORES, journal.scores_bytes)?;
        let quarantine = self.folder.open_part_at(QUARANTINE, journal.quarantine_bytes)?;
        Ok(scores.zip(quarantine).map(|(scores, quarantine)| Parts { journal, scores, quarantine }))
    }

    fn begin_parts(&self, layout: &QuarantineLayout) -> Result<Parts, BatchError> {
        self.folder.keep_only(&[])?;
        let journal = Journal {
            id: self.id.clone(),
            started: self.watch.clock.now().to_text(),
            rows: RowCounts::default(),
            scores_bytes: 0,
            quarantine_bytes: 0,
        };
        let (scores, quarantine) = (self.folder.open_part(SCORES)?, self.folder.open_part(QUARANTINE)?);
        let mut parts = Parts { journal, scores, quarantine };
        let (mut scores, mut quarantine) = (RecordBuffer::new(), RecordBuffer::new());
        scores.write(self.plan.header(), &self.folder.file(SCORES))?;
        quarantine.write(layout.header(), &self.folder.file(QUARANTINE))?;
        self.append(&mut parts, scores, quarantine)?;
        Ok(parts)
    }

    fn score_all(
        &self,
        reader: &mut Reader,
        layout: &QuarantineLayout,
        parts: &mut Parts,
    ) -> Result<(), BatchError> {
        self.watch.progress.stage("score", 0);
        self.watch.progress.step(parts.journal.rows.read);
        loop {
            if self.watch.cancel.is_cancelled() {
                let folder = self.folder.path().to_path_buf();
                return Err(BatchError::Cancelled { rows: parts.journal.rows.read, folder });
            }
            let Some(chunk) = reader.next_chunk(self.order.chunk_rows)? else { return Ok(()) };
            self.score_chunk(chunk, layout, parts)?;
            self.watch.progress.step(parts.journal.rows.read);
            fault::point("batch.after_chunk");
        }
    }

    fn score_chunk(
        &self,
        chunk: Chunk,
        layout: &QuarantineLayout,
        parts: &mut Parts,
    ) -> Result<(), BatchError> {
        let (mut scores, mut quarantine) = (RecordBuffer::new(), RecordBuffer::new());
        let scored = self.champion.score_table(&chunk.table, &chunk.defaulted)?;
        for (row, &number) in chunk.row_numbers.iter().enumerate() {
            let cells = self.plan.cells(&scored, &chunk.table, row, number);
            let cells = cells.map_err(|source| BatchError::Row { row: number, source })?;
            scores.write(&cells, &self.folder.file(SCORES))?;
        }
        for rejected in &chunk.rejected {
            quarantine.write(layout.record(rejected), &self.folder.file(QUARANTINE))?;
        }
        let rows = &mut parts.journal.rows;
        rows.scored += chunk.row_numbers.len() as u64;
        rows.quarantined += chunk.rejected.len() as u64;
        rows.read += chunk.rows_read;
        self.append(parts, scores, quarantine)
    }

    /// Files first, journal second: whatever the journal vouches for is on the disk.
    fn append(
        &self,
        parts: &mut Parts,
        scores: RecordBuffer,
        quarantine: RecordBuffer,
    ) -> Result<(), BatchError> {
        let append = |name: &str, file: &mut File, records: RecordBuffer| {
            let path = self.folder.file(name);
            let bytes = records.into_bytes(&path)?;
            if !bytes.is_empty() {
                file.write_all(&bytes).and_then(|()| file.sync_data()).map_err(at(&path))?;
            }
            Ok::<u64, BatchError>(bytes.len() as u64)
        };
        parts.journal.scores_bytes += append(SCORES, &mut parts.scores, scores)?;
        parts.journal.quarantine_bytes += append(QUARANTINE, &mut parts.quarantine, quarantine)?;
        parts.journal.save(self.folder.path())
    }

    fn finish_parts(&self, parts: Parts) -> Result<Manifest, BatchError> {
        let scores = match self.order.options.format {
            OutputFormat::Csv => SCORES,
            OutputFormat::Parquet => {
                let to = self.folder.file(SCORES_PARQUET);
                records_to_parquet(&self.folder.file(SCORES), &to, self.plan.columns())?;
                SCORES_PARQUET
            }
        };
        let folder = self.folder.path();
        let manifest = Manifest {
            content: Content {
                format: manifest::FORMAT.to_string(),
                id: self.id.clone(),
                subject: self.subject.clone(),
                model: self.champion.loaded().digest,
                rows: parts.journal.rows,
                outputs: vec![Output::of(folder, QUARANTINE)?, Output::of(folder, scores)?],
            },
            run: Run {
                input: self.order.input.display().to_string(),
                started: parts.journal.started,
                finished: self.watch.clock.now().to_text(),
            },
        };
        manifest.save(folder)?;
        Ok(manifest)
    }

    fn publish(self, manifest: Manifest, resumed_rows: u64) -> Result<BatchResult, BatchError> {
        let mut kept = vec![manifest::FILE];
        kept.extend(manifest.content.outputs.iter().map(|output| output.name.as_str()));
        self.folder.keep_only(&kept)?;
        (self.watch.record)(&manifest).map_err(BatchError::Unrecorded)?;
        let folder = self.folder.publish()?;
        Ok(BatchResult { folder, manifest, reused: false, resumed_rows })
    }
}

#[cfg(test)]
mod tests;
