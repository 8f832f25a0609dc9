//! Verifies an export: one thread reads and hashes the file, several check stretches of about a megabyte, one joins them.
//!
//! Stretches go round the workers in turn, and are joined in the same turn, so that nothing is sorted and every queue is short:
//! memory is bounded by [`QUEUE_STRETCHES_MAX`] stretches for each worker, and the map of streams.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use messages::frame::Frame;
use messages::header::Header;
use messages::{Hash, chain};

use super::export::{ExportHead, Trailer};
use super::head::Head;
use super::joined::{Joined, check_anchors};
use super::reader::{Step, Walk};
use super::records::ReadFileError;
use super::report::{Report, VerifyError, VerifyOptions, Wrong};
use super::stretch::{Border, Rules, Stretch};

/// How many bytes of events are checked as one: enough that handing over costs nothing.
const STRETCH_BYTES: usize = 1024 * 1024;

/// How many stretches wait for a worker, or for being joined.
const QUEUE_STRETCHES_MAX: usize = 2;

/// The bytes of some consecutive events, and what the event before them says of itself.
struct Chunk {
    before: Border,
    bytes: Vec<u8>,
    /// Where in `bytes` each event ends.
    ends: Vec<usize>,
}

/// What the file had besides events.
pub(super) struct Rest {
    pub(super) trailer: Trailer,
    pub(super) rows: u64,
}

/// Verifies an export without the store that it was made from: form, hash of the file, hash chain, places without gap, links
/// between published events, order of times, versions of streams, trailer, and the anchors given.
///
/// It blocks, and uses `options.workers` threads and one for reading.
///
/// # Errors
///
/// See [`VerifyError`]: the first wrong event is named before anything that is wrong with the file as a whole.
pub fn verify_export(path: &Path, mut options: VerifyOptions) -> Result<Report, VerifyError> {
    let walk = Walk::open(path)?;
    let head = walk.head.clone();
    check_anchors(&options.anchors, head.after.position, Head::from(head.up_to))?;
    let rules = Arc::new(Rules::new(head.after.store, head.scope.clone(), &options.anchors));
    let before = beginning(&head)?;
    let mut joined = Joined::begin(before, head.published, head.up_to.position, &rules)?;
    let rest = thread::scope(|scope| {
        let (mut to_workers, mut from_workers) = (Vec::new(), Vec::new());
        for _ in 0..options.workers.get() {
            let (chunk_sender, chunks) = sync_channel(QUEUE_STRETCHES_MAX);
            let (stretch_sender, stretches) = sync_channel(QUEUE_STRETCHES_MAX);
            to_workers.push(chunk_sender);
            from_workers.push(stretches);
            let rules = Arc::clone(&rules);
            let _worker = scope.spawn(move || check_chunks(&rules, &chunks, &stretch_sender));
        }
        let reading = scope.spawn(move || read_chunks(walk, before, &to_workers));
        let result = join_stretches(&mut joined, from_workers, &mut options);
        // The reader ends, whatever happened: its receivers are gone, or the file is.
        let read = reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        result.and(read.map_err(VerifyError::File))
    })?;
    finish(joined, &rules, &rest)
}

/// What the first event builds on. At the beginning of a store it is known; after that the export's word is taken, and an anchor
/// there shows whether it is true.
fn beginning(head: &ExportHead) -> Result<Border, VerifyError> {
    let (after, start) = (head.after, chain::start(head.after.store));
    if after.position.number() == 0 && after.hash != start {
        return Err(VerifyError::End {
            what: "the hash before the first event",
            expected: start.to_string(),
            found: after.hash.to_string(),
        });
    }
    Ok(Border { position: after.position, hash: after.hash, recorded: None })
}

/// Reads the file to its end, or until nobody wants more.
fn read_chunks(mut walk: Walk, mut before: Border, workers: &[SyncSender<Chunk>]) -> Result<Rest, ReadFileError> {
    let mut turns = workers.iter().cycle();
    let empty =
        |before| Chunk { before, bytes: Vec::with_capacity(STRETCH_BYTES + STRETCH_BYTES / 8), ends: Vec::new() };
    let (mut chunk, mut rows) = (empty(before), 0);
    loop {
        let step = walk.step(|record| {
            chunk.bytes.extend_from_slice(record.body);
            chunk.ends.push(chunk.bytes.len());
        });
        // What was read before a damage is checked all the same: a wrong event is named before a wrong file.
        let is_event = matches!(step, Ok(Step::Event));
        if chunk.bytes.len() >= STRETCH_BYTES || (!is_event && !chunk.ends.is_empty()) {
            before = says_of_itself(&chunk, before);
            let full = std::mem::replace(&mut chunk, empty(before));
            if turns.next().is_none_or(|worker| worker.send(full).is_err()) {
                return Ok(Rest { trailer: walk.promised(), rows });
            }
        }
        match step? {
            Step::Trailer(trailer) => return Ok(Rest { trailer, rows }),
            Step::Row(_) => rows += 1,
            Step::Event | Step::Table(_) | Step::TableEnd | Step::Over => {}
        }
    }
}

/// What the chunk's last event says of itself. If it is too short to say anything, its own check finds that, and what is given
/// here is not looked at.
fn says_of_itself(chunk: &Chunk, before: Border) -> Border {
    let begin = chunk.ends.len().checked_sub(2).map_or(0, |index| chunk.ends[index]);
    let body = &chunk.bytes[begin..];
    let header = body.get(1..).and_then(|rest| rest.first_chunk::<{ Header::BYTES }>());
    match (header, body.last_chunk::<{ Hash::BYTES }>()) {
        (Some(header), Some(hash)) => {
            let header = Header::from_bytes(header);
            Border { position: header.position, hash: Hash::new(*hash), recorded: Some(header.recorded) }
        }
        _ => before,
    }
}

fn check_chunks(rules: &Arc<Rules>, chunks: &Receiver<Chunk>, stretches: &SyncSender<Stretch>) {
    for chunk in chunks {
        let mut stretch = Stretch::after(Arc::clone(rules), chunk.before);
        let mut begin = 0;
        for end in &chunk.ends {
            let frame = Frame::decode(&chunk.bytes[begin..*end]);
            begin = *end;
            if !stretch.add(frame.as_ref().map_err(|error| Wrong::Form { why: error.to_string() })) {
                break;
            }
        }
        if stretches.send(stretch).is_err() {
            return;
        }
    }
}

/// Takes the stretches in the turn in which they were handed out, until a worker whose turn it is has none left.
fn join_stretches(
    joined: &mut Joined,
    workers: Vec<Receiver<Stretch>>,
    options: &mut VerifyOptions,
) -> Result<(), VerifyError> {
    for turn in workers.iter().cycle() {
        let Ok(stretch) = turn.recv() else { break };
        joined.add(stretch)?;
        joined.tell(options)?;
    }
    Ok(())
}

/// Compares what was found with what the file promises.
pub(super) fn finish(joined: Joined, rules: &Rules, rest: &Rest) -> Result<Report, VerifyError> {
    let trailer = rest.trailer;
    let end = |what, expected: String, found: String| Err(VerifyError::End { what, expected, found });
    if joined.last().hash != trailer.hash {
        return end(
            "the hash of the last event in the trailer",
            joined.last().hash.to_string(),
            trailer.hash.to_string(),
        );
    }
    if joined.sealed() != trailer.sealed {
        return end(
            "the number of sealed events in the trailer",
            joined.sealed().to_string(),
            trailer.sealed.to_string(),
        );
    }
    joined.finish(rules, rest.rows)
}
