//! Every bound of the program by name. A limit that is reached is an error that quotes it.
//! Nothing else holds a bare number that bounds input, memory or time.

/// Configuration and project files are small; more is a mistake or an attack.
pub const PROJECT_FILE_BYTES_MAX: u64 = 1 << 20;
/// model.json and release.json.
pub const MANIFEST_BYTES_MAX: u64 = 4 << 20;
/// A single blob that is read whole (weights, reference, golden rows, artifacts).
pub const BLOB_BYTES_MAX: u64 = 512 << 20;

pub const NAME_CHARS_MAX: usize = 64;
pub const COLUMNS_MAX: usize = 2_000;
pub const ROWS_MAX: usize = 50_000_000;
/// One CSV cell.
pub const CELL_BYTES_MAX: usize = 64 << 10;
/// One CSV record, all cells together.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Levels kept of one category before the rest is pooled.
pub const LEVELS_MAX: usize = 100_000;
/// What one decompressed input may grow to.
pub const IMPORT_BYTES_MAX: u64 = 32 << 30;

/// Violations written out in full by a validation; all are counted.
pub const FINDINGS_SHOWN_MAX: usize = 100;

/// Columns of an encoded matrix.
pub const MATRIX_WIDTH_MAX: usize = 20_000;
pub const ONE_HOT_LEVELS_MAX: usize = 1_000;
pub const HASH_BUCKETS_MAX: usize = 4_096;
/// Quantile bins of one numeric field.
pub const BINS_MIN: usize = 2;
pub const BINS_MAX: usize = 256;
/// Candidates that one search tries.
pub const TRIALS_MAX: usize = 500;
/// Breaks and special numbers asked of one field.
pub const BREAKS_MAX: usize = 64;
/// A code is one byte.
pub const CODES_MAX: usize = 256;
/// Cells of one encoded matrix: 4 GiB of f32. More rows are encoded in pieces.
pub const MATRIX_CELLS_MAX: usize = 1 << 30;
/// A number beyond this cannot be encoded; squares and sums of all below it stay finite.
pub const NUMBER_MAGNITUDE_MAX: f64 = 1e100;
/// Levels of one hashed field that a fitted recipe remembers; beyond it none are, and none is called unseen.
pub const KNOWN_LEVELS_MAX: usize = 2_000;
/// Levels of one field in a reference, the most frequent first; the rest are pooled.
pub const REFERENCE_LEVELS_MAX: usize = 1_000;
/// Bins of one numeric field in a reference.
pub const REFERENCE_BINS_MAX: usize = 32;
/// Synthetic rows stored with a model.
pub const GOLDEN_ROWS_MAX: usize = 1_000;

pub const EPOCHS_MAX: usize = 10_000;
/// Rows of one training step.
pub const BATCH_ROWS_MAX: usize = 65_536;
/// What a weights file may hold beside its numbers.
pub const WEIGHTS_HEADER_BYTES_MAX: usize = 4_096;
/// Trees of one model, branches from a root to a leaf, and branches of all trees.
pub const TREES_MAX: usize = 10_000;
pub const TREE_DEPTH_MAX: usize = 64;
pub const BRANCHES_MAX: usize = 4 << 20;
pub const ENSEMBLE_MEMBERS_MAX: usize = 16;
pub const ENSEMBLE_BYTES_MAX: usize = 400 << 20;
/// Layers of a network with the last, units of one layer, numbers a level becomes.
pub const NETWORK_LAYERS_MAX: usize = 9;
pub const NETWORK_UNITS_MAX: usize = 1_024;
/// Members whose mean is a network's margin.
pub const NETWORK_MEMBERS_MAX: usize = 64;
pub const EMBEDDING_SIZE_MAX: usize = 64;
/// Weights of a network, all together; and what a file of them may hold beside its numbers: a line a tensor.
pub const NETWORK_WEIGHTS_MAX: usize = 16 << 20;
pub const NETWORK_HEADER_BYTES_MAX: usize = 256 << 10;
/// Bends of the way from the reference to a row that an explanation of a network walks. The piece after a bend costs about
/// three passes through the layers behind the first.
pub const EXPLANATION_BENDS_MAX: usize = 4_096;
/// Rows whose contributions make a network's importance.
pub const IMPORTANCE_ROWS_PATH_MAX: usize = 2_000;
/// Training rows that tell a network's training loss after an epoch.
pub const TRAIN_LOSS_ROWS_MAX: usize = 4_096;
/// Whole numbers up to here are exact in JSON, and so is a seed in a signed document.
pub const SEED_MAX: u64 = (1 << 53) - 1;
pub const BOOTSTRAP_ROUNDS_MAX: usize = 10_000;

/// Rows scored at a time by a batch.
pub const BATCH_CHUNK_ROWS: usize = 4_096;
/// One row given to `predict` or `decide`.
pub const ROW_JSON_BYTES_MAX: u64 = 1 << 20;
pub const JSON_DEPTH_MAX: usize = 64;
/// Rules of one gates.toml.
pub const GATES_MAX: usize = 200;
/// Bands of one policy.
pub const BANDS_MAX: usize = 16;
/// Rules before the score of one policy.
pub const POLICY_RULES_MAX: usize = 200;
/// Values one rule may list.
pub const RULE_VALUES_MAX: usize = 1_000;
/// One text a person reads as a reason.
pub const REASON_TEXT_CHARS_MAX: usize = 500;
/// Reasons named for one decision.
pub const REASONS_MAX: usize = 4;
/// Fewest accepted cases whose mean may stand as the reference of reasons.
pub const ACCEPTED_REFERENCE_ROWS_MIN: usize = 50;
/// A level seen in fewer training rows is never shown in a golden row or a reference.
pub const SHARED_LEVEL_ROWS_MIN: usize = 20;

/// Jobs waiting for one store's writer; a full queue refuses.
pub const WRITER_QUEUE_MAX: usize = 1_024;
/// Jobs committed together at most.
pub const WRITER_GROUP_MAX: usize = 256;
/// Pause before a store is opened again after its disk failed; twice as long each time, up to the second.
pub const STORE_RESTART_PAUSE_MS: u64 = 1_000;
pub const STORE_RESTART_PAUSE_MS_MAX: u64 = 60_000;
/// How long readers may keep a store from being opened again, before it is tried later.
pub const STORE_READERS_WAIT_MS: u64 = 5_000;
/// While commits follow each other, the witness is written once in this time.
pub const WITNESS_PAUSE_MS: u64 = 100;
/// How long a command waits for another process to let go of the home.
pub const HOME_WAIT_MS: u64 = 2_000;
pub const LIST_MAX: usize = 500;
/// Projects whose schedules are in force in one home.
pub const PROJECTS_APPLIED_MAX: usize = 50;
/// Chains whose runs are counted under their own names; further ones are counted together.
pub const CHAINS_COUNTED_MAX: usize = 1_000;
/// How many runs of a chain are looked through for its last success.
pub const CHAIN_RUNS_LOOKED_BACK: usize = 50;
/// Series that are filled when figures are asked for.
pub const FIGURES_READ_MAX: usize = 20_000;
/// Runs of chains that have not ended.
pub const CHAIN_RUNS_OPEN_MAX: usize = 1_000;
/// Files of an inbox whose starts are remembered.
pub const CHAIN_STARTS_MAX: usize = 100_000;
/// Days of one model that are read at once: ten years and some.
pub const WATCHED_DAYS_MAX: usize = 4_000;
/// Reports on one page of their list.
pub const REPORTS_LISTED_MAX: usize = 50;
/// Runs on one page of their list: each with its params, metrics and artifacts is some ten thousand bytes.
pub const RUNS_LISTED_MAX: usize = 100;
/// Old reports that are let go of together.
pub const REPORTS_DROPPED_MAX: usize = 50;
/// Alerts and deliveries that are read when a home is opened.
pub const ALERT_ROWS_MAX: usize = 100_000;
/// How often alerts that were closed long ago are let go of.
pub const ALERTS_PRUNED_MS: u64 = 3_600_000;
/// How often it is looked what is to be told.
pub const NOTIFY_BEAT_MS: u64 = 1_000;
/// How far back known outcomes are looked at.
pub const PERFORMANCE_MONTHS: u64 = 24;
/// How often it is looked what is due.
pub const SCHEDULE_BEAT_MS: u64 = 1_000;
/// One answer in so many has its stages counted for operators.
pub const STAGES_COUNTED_EACH: u64 = 16;
/// Rehearsals of one bench, and how many callers ask at a time.
pub const BENCH_COUNT_MAX: usize = 100_000;
pub const BENCH_CLIENTS_MAX: usize = 64;
/// Rows of a bench that are read, and of how large a file; they are asked in turn.
pub const BENCH_ROWS_MAX: usize = 1_000;
pub const BENCH_FILE_BYTES_MAX: u64 = 16 << 20;
/// Of a git repository: one small file, the file of packed names, and how often a name may lead to another.
pub const GIT_FILE_BYTES_MAX: u64 = 4 << 10;
pub const GIT_PACKED_BYTES_MAX: u64 = 16 << 20;
pub const GIT_NAMES_FOLLOWED_MAX: usize = 5;
/// Outcomes of decisions in one report.
pub const OUTCOMES_REPORTED_MAX: usize = 1_000;
/// Groups beside an outcome, and how long their names and values may be.
pub const OUTCOME_GROUPS_MAX: usize = 8;
pub const OUTCOME_GROUP_CHARS_MAX: usize = 64;

/// Nodes of the graph of a flow.
pub const GRAPH_NODES_MAX: usize = 200;
/// Inputs and outputs of one node.
pub const GRAPH_NODE_ARTIFACTS_MAX: usize = 50;
pub const GRAPH_NAME_CHARS_MAX: usize = 60;
/// Values of configuration that a node's record keeps.
pub const GRAPH_SETTINGS_MAX: usize = 50_000;
/// A value beyond this is kept as its beginning and its digest.
pub const GRAPH_SETTING_CHARS_MAX: usize = 120;
/// Levels of tables within each other that are told apart; what lies deeper is one value.
pub const GRAPH_SETTING_DEPTH_MAX: usize = 24;
/// What is known of a node's last success.
pub const GRAPH_RECORD_BYTES_MAX: u64 = 16 << 20;
/// Reasons that are told of one node; the rest are counted.
pub const GRAPH_REASONS_MAX: usize = 12;
/// Files of one output that is a folder, and how deep they may lie.
pub const GRAPH_OUTPUT_FILES_MAX: usize = 10_000;
pub const GRAPH_OUTPUT_DEPTH_MAX: usize = 8;
/// All artifacts that are kept of one project, where nothing else is said.
pub const GRAPH_KEPT_BYTES_MAX: u64 = 16 << 30;
/// Characters of a name that a picture shows before it is cut.
pub const GRAPH_PICTURE_CHARS_MAX: usize = 26;
/// How long a command waits for another that works in the same state folder, and between two looks.
pub const GRAPH_WAIT_MS: u64 = 2_000;
pub const GRAPH_WAIT_STEP_MS: u64 = 50;

/// Memory of a training child.
pub const CHILD_MEMORY_BYTES_MAX: u64 = 8 << 30;
/// Grace between asking a child to stop and ending it.
pub const CHILD_STOP_MS: u64 = 5_000;
/// One event line of a child.
pub const EVENT_BYTES_MAX: usize = 1 << 20;
/// Runs that wait for a worker or are with one.
pub const RUNS_ORDERED_MAX: usize = 64;
/// How often a worker tells what its child said, and how often it says that it lives while the child is silent.
pub const WORKER_REPORT_MS: u64 = 200;
pub const WORKER_BEAT_MS: u64 = 1_000;
/// A worker that was not heard of for so long has lost its run.
pub const WORKER_LOST_MS: u64 = 30_000;
/// How long a worker without anything to do waits before it asks again: at first, and after many times in vain.
pub const WORKER_PAUSE_MS: u64 = 100;
pub const WORKER_PAUSE_MS_MAX: u64 = 1_000;
/// Events of one report.
pub const WORKER_EVENTS_MAX: usize = 1_000;
/// A report of events, and the contents of a candidate with the end of a run.
pub const WORKER_BODY_BYTES_MAX: usize = 8 << 20;
/// Files of one candidate.
pub const CANDIDATE_FILES_MAX: usize = 500;
/// An order of a run: the texts of a project in JSON.
pub const ORDER_BODY_BYTES_MAX: usize = 16 << 20;
/// `key=value` changes of one order.
pub const OVERRIDES_MAX: usize = 200;

/// A file that is sent to be imported or trained on.
pub const UPLOAD_BYTES_MAX: u64 = 8 << 30;
/// How long a file that is sent may make no progress.
pub const UPLOAD_IDLE_MS: u64 = 30_000;
/// How long a file that was sent waits to be used.
pub const UPLOAD_KEPT_MS: u64 = 3_600_000;
/// Files that wait to be used, of all and of one sender, and files that arrive at a time.
pub const UPLOADS_MAX: usize = 16;
pub const UPLOADS_OF_ONE_MAX: usize = 8;
pub const UPLOADS_AT_A_TIME: usize = 4;
/// The name a file had where it was sent from.
pub const FILE_NAME_CHARS_MAX: usize = 255;

/// Points kept of one curve in an artifact or a chart.
pub const CURVE_POINTS_MAX: usize = 1_000;
/// Candidates kept of a threshold's sweep.
pub const SWEEP_POINTS_MAX: usize = 200;
/// Bars of an importance chart; the fields below them share one.
pub const IMPORTANCE_BARS_MAX: usize = 16;
/// Characters of a name that a chart shows before it is cut.
pub const CHART_LABEL_CHARS_MAX: usize = 26;
/// Tracked names and values, in characters: the limits MLflow's clients know.
pub const EXPERIMENT_NAME_CHARS_MAX: usize = 500;
pub const EXPERIMENT_TAG_VALUE_CHARS_MAX: usize = 20_000;
/// Key of a param, a metric or a tag.
pub const TRACKED_KEY_CHARS_MAX: usize = 250;
pub const PARAM_VALUE_CHARS_MAX: usize = 6_000;
pub const RUN_TAG_VALUE_CHARS_MAX: usize = 8_000;
pub const DATASET_NAME_CHARS_MAX: usize = 500;
pub const DATASET_DIGEST_CHARS_MAX: usize = 36;

/// Memory one store file's page cache may take.
pub const STORE_CACHE_BYTES: usize = 64 << 20;
/// The journal beside a store file: full, the file takes in what it holds.
pub const JOURNAL_BYTES: u64 = 1 << 20;
/// How long the file waits, when nothing else does, before it takes in what the journal holds.
pub const JOURNAL_PAUSE_MS: u64 = 200;
/// home.json and the witness of a store's last commit.
pub const HOME_FILE_BYTES_MAX: u64 = 4 << 10;
/// Findings a store check writes out in full; all are counted.
pub const CHECK_FINDINGS_MAX: usize = 1_000;

/// The box's key file.
pub const KEY_FILE_BYTES_MAX: u64 = 1 << 10;
pub const TRUST_FILE_BYTES_MAX: u64 = 64 << 10;
pub const TRUST_KEYS_MAX: usize = 64;
pub const STORE_ID_CHARS_MAX: usize = 64;
pub const ACTOR_NAME_CHARS_MAX: usize = 64;
/// Signatures looked at over one payload or one checkpoint.
pub const SIGNATURES_MAX: usize = 16;
/// A DSSE envelope: a manifest in base64 and its signatures.
pub const ENVELOPE_BYTES_MAX: u64 = 6 << 20;

/// Bucket keys of a box: a subject's first twelve bits name one.
pub const BUCKETS: usize = 4_096;
/// A body before it is sealed: what the log keeps, less tag, authenticator and version byte.
pub const SEALED_PLAIN_BYTES_MAX: usize = LEDGER_BODY_BYTES_MAX - 33;

pub const PASSWORD_CHARS_MIN: usize = 12;
pub const PASSWORD_CHARS_MAX: usize = 128;
/// What one password check costs: argon2id's memory and passes over it (OWASP's minimum).
pub const PASSWORD_MEMORY_KIB: u32 = 19 << 10;
pub const PASSWORD_PASSES: u32 = 2;
/// A session ends after so long without a request, and in any case after so long.
pub const SESSION_IDLE_MS: i64 = 15 * 60 * 1_000;
pub const SESSION_MS_MAX: i64 = 12 * 60 * 60 * 1_000;
/// A session at the counter locks after so long without a request.
pub const COUNTER_LOCK_MS: i64 = 10 * 60 * 1_000;
/// How long an API key is good for when nothing else is asked, and at most.
pub const API_KEY_DAYS: u32 = 365;
pub const API_KEY_DAYS_MAX: u32 = 730;
/// Failed logins before the next one has to wait.
pub const LOGIN_FAILURES_FREE: u32 = 4;
pub const LOGIN_WAIT_S_MAX: u64 = 15 * 60;
/// Failures are forgotten after so long without another.
pub const LOGIN_MEMORY_S: u64 = 60 * 60;
/// Accounts, and likewise addresses, whose failures are remembered.
pub const LOGIN_ENTRIES_MAX: usize = 4_096;
/// A certificate we make is good for so long (the most that browsers take), and reaches back so long
/// for clients whose clock is behind.
pub const CERTIFICATE_DAYS: u32 = 397;
pub const CERTIFICATE_EARLY_S: u64 = 60 * 60;
/// A key or certificate chain in PEM.
pub const PEM_FILE_BYTES_MAX: u64 = 64 << 10;
pub const CERTIFICATE_CHAIN_MAX: usize = 8;
/// Names and addresses of one certificate.
pub const CERTIFICATE_NAMES_MAX: usize = 64;

/// Digits of a case's number within its year.
pub const CASE_DIGITS_MIN: usize = 5;
pub const CASE_DIGITS_MAX: usize = 9;
/// What is typed as a case number, with all its dashes.
pub const CASE_TEXT_CHARS_MAX: usize = 40;
/// A receipt file: two escaped texts and a proof.
pub const RECEIPT_BYTES_MAX: u64 = 64 << 10;
/// Hashes of one inclusion proof: no log counts beyond 2^53.
pub const PROOF_HASHES_MAX: usize = 64;

/// Up to here every integer is exact as a double, and so in canonical JSON.
pub const EXACT_INTEGER_MAX: u64 = (1 << 53) - 1;
/// One record of the tally log: its clear header, what it speaks of, and its body.
pub const LEDGER_HEADER_BYTES_MAX: usize = 4 << 10;
pub const LEDGER_SUBJECT_CHARS_MAX: usize = 200;
pub const LEDGER_BODY_BYTES_MAX: usize = 1 << 20;
pub const CHECKPOINT_BYTES_MAX: usize = 4 << 10;
/// Characters of a refused value that a finding quotes.
pub const VALUE_SHOWN_CHARS_MAX: usize = 80;
pub const COLUMN_NAME_CHARS_MAX: usize = 256;
/// The beginning of a file from which separator and decimal sign are told.
pub const SNIFF_BYTES_MAX: usize = 256 << 10;
/// Rows a Parquet file is decoded at a time, and rows of a row group we write.
pub const PARQUET_BATCH_ROWS: usize = 4_096;
pub const PARQUET_GROUP_ROWS: usize = 65_536;
/// Decompressed size of one row group that is read.
pub const PARQUET_GROUP_BYTES_MAX: u64 = 4 << 30;
/// Rows kept (drawn evenly from the whole file) to guess a contract.
pub const INFER_ROWS_MAX: usize = 50_000;
pub const EXPECTATIONS_MAX: usize = 2_000;
/// Examples quoted for one failed expectation.
pub const EXPECTATION_EXAMPLES_MAX: usize = 20;
pub const REGEX_BYTES_MAX: usize = 4_096;
/// Points of one metric that a history answers.
pub const METRIC_POINTS_MAX: usize = 25_000;
/// Frequent levels of one column that a profile names.
pub const PROFILE_LEVELS_MAX: usize = 20;
/// Steps of the test part's scores that an evaluation keeps.
pub const EVALUATION_STEPS_MAX: usize = 10_000;
/// Rows times leaves of trees that a report explains.
pub const IMPORTANCE_LEAVES_MAX: usize = 30_000_000;
/// Leaves of trees beyond which tables save an explanation nothing.
pub const EXPLAINED_LEAVES_MAX: usize = 20_000;
/// Rows whose contributions make the importance; more change it by less than its own noise.
pub const IMPORTANCE_ROWS_MAX: usize = 20_000;
/// Runs of one comparison, and rows drawn for it all together, where that leaves rounds enough.
pub const RUNS_COMPARED_MAX: usize = 10;
pub const COMPARE_DRAWS_MAX: usize = 50_000_000;
/// Runs that share the beginning of an id, as far as they are counted.
pub const RUNS_NAMED_ALIKE_MAX: usize = 100;
/// Rows a batch may be told to hold in memory at a time.
pub const BATCH_CHUNK_ROWS_MAX: usize = 65_536;
/// The end of a child's own log that an error quotes from.
pub const CHILD_LOG_TAIL_BYTES: u64 = 4 << 10;
/// How long a proposal to promote waits where its gates say nothing, and the longest they may say.
pub const PROPOSAL_MS: i64 = 7 * 24 * 3_600_000;
pub const PROPOSAL_MS_MAX: i64 = 90 * 24 * 3_600_000;
/// Proposals of one home that wait at a time.
pub const PROPOSALS_OPEN_MAX: usize = 200;
/// Proposals on one page of the list.
pub const PROPOSALS_SHOWN: usize = 50;
/// The reason that is kept with a move of an alias.
pub const WHY_CHARS_MAX: usize = 500;
/// Files of one folder of configuration.
pub const CONFIG_FILES_MAX: usize = 100;
/// Champions kept ready: one for each alias or version that is asked for, and as many to show old records by.
pub const SEATS_MAX: usize = 32;
/// An `Idempotency-Key`, in characters.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// How long a repeated request gets the first one's answer.
pub const IDEMPOTENCY_MS: i64 = 24 * 3_600_000;
/// Records one page of a list looks at before it says where to go on.
pub const RECORDS_LOOKED_AT_MAX: u64 = 10_000;
/// Repetitions forgotten in one transaction.
pub const REPETITIONS_DROPPED_MAX: usize = 500;

// The server's doors.

/// Connections over the network, all together and from one address (for IPv6: one /64).
pub const CONNECTIONS_MAX: usize = 4_096;
pub const ADDRESS_CONNECTIONS_MAX: usize = 1_024;
/// Connections over one socket of this machine; counted apart, so that the admin always gets in.
pub const LOCAL_CONNECTIONS_MAX: usize = 64;
/// Open files kept for everything that is no connection.
pub const OPEN_FILES_SPARE: u64 = 256;
/// From the connection to the end of the TLS handshake.
pub const HANDSHAKE_MS: u64 = 10_000;
/// From the first byte of a request to the end of its head.
pub const REQUEST_HEAD_MS: u64 = 10_000;
/// How long a connection may lie idle, or a client take nothing of its answer.
pub const KEEP_ALIVE_MS: u64 = 75_000;
/// From the end of a request's head to the end of its body.
pub const REQUEST_BODY_MS: u64 = 30_000;
/// How long requests in flight may still take when the server stops.
pub const DRAIN_MS: u64 = 20_000;
/// How long a connection that is asked to leave may take to finish its request.
pub const CONNECTION_LEAVE_MS: u64 = 1_000;
/// How often the doors look for connections whose time is over.
pub const CONNECTION_SWEEP_MS: u64 = 1_000;
/// How long a listener rests when the system has no open file left for it.
pub const ACCEPT_PAUSE_MS: u64 = 50;
pub const REQUEST_HEADERS_MAX: usize = 64;
pub const REQUEST_HEAD_BYTES_MAX: usize = 16 << 10;
/// What one connection may hold of a request that is not yet read by anybody.
pub const CONNECTION_BUFFER_BYTES_MAX: usize = 64 << 10;
/// What the system may hold of an answer that its client has not taken yet.
pub const CONNECTION_SEND_BYTES_MAX: u32 = 256 << 10;
/// Connections that may wait to be taken.
pub const CONNECTIONS_WAITING_MAX: u32 = 1_024;
/// The rest of a refused request's body that is taken off the wire to keep its connection, and how long that may last.
pub const UNREAD_BODY_BYTES_MAX: usize = 64 << 10;
pub const UNREAD_BODY_MS: u64 = 5_000;
/// Body of a single call.
pub const REQUEST_BODY_BYTES_MAX: usize = 1 << 20;
pub const QUERY_CHARS_MAX: usize = 2_048;
pub const CORRELATION_ID_CHARS_MAX: usize = 64;
pub const CURSOR_CHARS_MAX: usize = 512;
/// The part of a path that a problem repeats.
pub const PATH_SHOWN_CHARS_MAX: usize = 256;
/// Use cases that run at a time on threads of their own, and those that may wait for one.
pub const BLOCKING_CALLS_MAX: usize = 32;
pub const BLOCKING_CALLS_WAITING_MAX: usize = 512;
/// From here on a request is slow enough to be in the log.
pub const SLOW_REQUEST_MS: u64 = 1_000;
/// When to come again, where nothing better is known.
pub const RETRY_AFTER_S: u64 = 1;
/// How often counted figures are tidied when nobody asks for them.
pub const METRICS_UPKEEP_MS: u64 = 5_000;
/// How long a probe of the store may take before the server counts as ill.
pub const HEALTH_PROBE_MS: u64 = 5_000;
/// API keys kept in memory between requests.
pub const KNOWN_KEYS_MAX: usize = 1_000;
/// How often a key's use is written down.
pub const LAST_USED_MS: i64 = 3_600_000;
/// Sessions kept; the idlest gives way.
pub const SESSIONS_MAX: usize = 1_000;
/// Passwords hashed at a time, and logins that may wait for it.
pub const LOGINS_AT_A_TIME: usize = 2;
pub const LOGINS_WAITING_MAX: usize = 8;

// The client.

/// From the call to an open connection, TLS and all.
pub const CLIENT_CONNECT_MS: u64 = 5_000;
/// From the open connection to the end of the answer: a first decision may load and verify a model.
pub const CLIENT_ANSWER_MS: u64 = 120_000;
/// The same where a file goes over the wire, or a whole data set is checked before the answer.
pub const CLIENT_LONG_MS: u64 = 3_600_000;
/// How often a command asks how its run goes on.
pub const CLIENT_POLL_MS: u64 = 100;
/// A page of the longest list.
pub const CLIENT_ANSWER_BYTES_MAX: usize = 64 << 20;
/// Items that a command puts together from pages.
pub const CLIENT_ITEMS_MAX: usize = 100_000;

// The pages.

/// A form that a browser sends, and the fields it has.
pub const FORM_BYTES_MAX: usize = 256 << 10;
pub const FORM_FIELDS_MAX: usize = 2_100;
/// How far back another decision about the same subject is told before the next.
pub const SAME_SUBJECT_MS: i64 = 30 * 24 * 3_600_000;
/// Blocks of records in which a subject is looked for, the newest first.
pub const SUBJECT_BLOCKS_MAX: usize = 4_096;
/// Cases of one subject that are named.
pub const SUBJECT_CASES_MAX: usize = 50;
/// Runs of a chain on one page, and alerts.
pub const CHAIN_RUNS_SHOWN: usize = 25;
pub const ALERTS_SHOWN: usize = 50;
/// Records a page looks at for cases before it says where to go on: a person waits for it.
pub const CASES_LOOKED_AT_MAX: u64 = 1_000;
/// Cases on one page of the list, and those of one's own on the first page.
pub const CASES_SHOWN: usize = 25;
pub const OWN_CASES_SHOWN: usize = 6;
/// A second press of a button waits so long, so often, for the first one's answer.
pub const SAME_FORM_PAUSE_MS: u64 = 50;
pub const SAME_FORM_PAUSES_MAX: usize = 200;
/// Levels shown as buttons of one group; more are a list to choose from.
pub const CHOICES_SHOWN_MAX: usize = 4;
