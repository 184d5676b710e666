//! Every dialect and fault an import must read or refuse, told by small files.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use crate::base::fact::{Class, Fact};
use crate::base::limits;
use crate::base::rng::Random;
use crate::data::contract::{Cast, ColumnSpec, Contract, RawContract, Role};
use crate::data::finding::Severity;
use crate::data::import::bytes::Encoding;
use crate::data::import::error::DataError;
use crate::data::import::reader::{Purpose, Reader};
use crate::data::import::report::ImportReport;
use crate::data::import::whole::read_table;
use crate::data::table::{Cell, Kind, Table, TableBuilder};
use crate::data::write::{CsvSink, ParquetSink, write_parquet};

fn contract() -> Contract {
    let column = |name: &str, kind, role| ColumnSpec::new(name, kind, role);
    let columns = vec![
        column("id", Kind::Integer, Role::Id),
        ColumnSpec {
            min: Some(0.0),
            aliases: vec!["Income".into()],
            ..column("income", Kind::Number, Role::Feature)
        },
        column("city", Kind::Text, Role::Feature),
        column("since", Kind::Date, Role::Feature),
        column("note", Kind::Text, Role::Ignored),
        column("name", Kind::Text, Role::Pii),
        column("sex", Kind::Text, Role::Protected),
        column("bad", Kind::Boolean, Role::Target),
    ];
    RawContract { columns }.check().unwrap()
}

const HEADER: &str = "id,income,city,since,note,name,sex,bad\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

fn read(path: &Path) -> (Table, ImportReport) {
    read_table(path, &contract(), Purpose::Training, 1_000).unwrap()
}

fn refused(text: &str) -> DataError {
    let folder = Folder::new();
    read_table(&folder.file("x.csv", text), &contract(), Purpose::Training, 1_000).unwrap_err()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_dialect_of_one_table_gives_one_digest() {
    let folder = Folder::new();
    let plain = format!(
        "{HEADER}1,1234.5,Köln,2020-01-31,,Äl,f,1\n2,,\"Bad\nTölz, am \"\"See\"\"\",,x,,m,no\n3,0.25,,2019-12-01,y,Öz,f,true\n"
    );
    // Every comma between cells becomes a semicolon; those inside quotation marks stay.
    let semicolons = plain.replace(',', ";").replace("Tölz;", "Tölz,");
    let decimal_comma = semicolons.replace("1234.5", "1234,5").replace("0.25", "0,25");
    let latin1: Vec<u8> = plain.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let crlf = plain.replace('\n', "\r\n").replace("Bad\r\n", "Bad\n");
    let variants: Vec<(&str, Vec<u8>)> = vec![
        ("bom.csv", [b"\xef\xbb\xbf", plain.as_bytes()].concat()),
        ("crlf.csv", crlf.into_bytes()),
        ("semicolon.csv", semicolons.into_bytes()),
        ("comma.csv", decimal_comma.clone().into_bytes()),
        ("tab.csv", plain.replace(',', "\t").replace("Tölz\t", "Tölz,").into_bytes()),
        ("latin1.csv", latin1),
        ("gz.csv", gz(plain.as_bytes())),
        ("two-members.csv.gz", [gz(&plain.as_bytes()[..40]), gz(&plain.as_bytes()[40..])].concat()),
    ];
    let (table, report) = read(&folder.file("plain.csv", &plain));
    assert_eq!((report.rows_good, report.rows_rejected), (3, 0), "{:?}", report.findings);
    assert_eq!(report.content_digest, table.content_digest());
    assert_eq!(table.find_column("city").unwrap().cell(1), Cell::Text("Bad\nTölz, am \"See\""));
    assert!(table.find_column("note").is_none(), "ignored columns are dropped");
    for (name, bytes) in variants {
        let (other, report) = read(&folder.file(name, bytes));
        assert_eq!(other.content_digest(), table.content_digest(), "{name}: {:?}", report.findings);
    }
    let parquet = folder.0.path().join("table.parquet");
    write_parquet(&parquet, &table).unwrap();
    assert_eq!(read(&parquet).0.content_digest(), table.content_digest());
    let (_, report) = read(&folder.file("comma.csv", decimal_comma));
    assert_eq!((report.separator, report.decimal_comma), (Some(';'), Some(true)));
    let (_, report) = read(&folder.0.path().join("latin1.csv"));
    assert_eq!(report.encoding, Some(Encoding::Windows1252));
}

#[test]
fn bad_rows_are_set_aside_with_row_column_rule_and_value() {
    let folder = Folder::new();
    let text = format!(
        "{HEADER}1,10,a,,,,f,1\nx,-5,a,,,,f,0\n\n3,10,a,,,,f,1,9\n4,10,a,31.1.2020,,Secret,f,\n5,10,a,,,,f,0\n"
    );
    let path = folder.file("x.csv", text);
    let mut reader = Reader::open(&path, &contract(), Purpose::Training).unwrap();
    let chunk = reader.next_chunk(100).unwrap().unwrap();
    assert_eq!((chunk.first_row, chunk.rows_read, chunk.table.rows()), (1, 5, 2));
    assert_eq!(chunk.row_numbers, [1, 5]);
    let broken = chunk.rejected.iter().flat_map(|row| &row.findings);
    let rules: Vec<(u64, &str, Option<&str>)> =
        broken.map(|f| (f.row.unwrap(), f.rule.as_str(), f.column.as_deref())).collect();
    let expected = [
        (2, "type", Some("id")),
        (2, "min", Some("income")),
        (3, "record", None),
        (4, "type", Some("since")),
    ];
    assert_eq!(rules, expected);
    assert_eq!(chunk.rejected[0].findings[1].value.as_deref(), Some("-5"));
    assert_eq!(chunk.rejected[1].cells.last().unwrap(), &("(column 9)".to_string(), "9".to_string()));
    assert!(reader.next_chunk(100).unwrap().is_none());
    let report = reader.into_report();
    assert_eq!((report.rows_read, report.rows_good, report.rows_rejected), (5, 2, 3));
    assert_eq!([report.row_number(0), report.row_number(1)], [1, 5]);
}

#[test]
fn a_persons_data_stay_out_of_findings() {
    let folder = Folder::new();
    let long = "Miller".repeat(limits::CELL_BYTES_MAX);
    let path = folder.file("x.csv", format!("{HEADER}1,10,a,,,{long},f,1\n"));
    let (_, report) = read(&path);
    assert_eq!((report.rows_rejected, report.findings[0].rule.as_str()), (1, "length"));
    assert!(!serde_json::to_string(&report).unwrap().contains("Miller"));
}

#[test]
fn a_header_that_does_not_fit_is_refused_by_name() {
    let cases = [
        ("id,income,city,since,sex\n", "data.missing_column", "\"bad\""),
        ("id,Incom,city,since,sex,bad\n", "data.missing_column", "is \"Incom\" meant?"),
        ("id,income,city,since,sex,bad,Name \u{2d} x,NAME\n", "data.missing_column", "is \"NAME\" meant?"),
        ("id,income,city,since,sex,bad,city\n", "data.duplicate_column", "\"city\""),
        ("id,income,Income,city,since,sex,bad\n", "data.two_names", "\"Income\""),
        ("", "data.empty", "no header"),
        ("\n\n", "data.empty", "no header"),
        ("PK\x03\x04...", "data.not_a_table", "Excel"),
    ];
    for (text, code, says) in cases {
        let error = refused(text);
        assert_eq!(error.code(), code, "{text}");
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(error.class(), Class::DataRefused);
    }
    let absent = read_table(Path::new("/nowhere.csv"), &contract(), Purpose::Training, 9).unwrap_err();
    assert_eq!((absent.code(), absent.class()), ("data.no_such_file", Class::Usage));
}

#[test]
fn scoring_needs_no_outcome_and_an_unknown_column_is_a_warning() {
    let folder = Folder::new();
    let path = folder.file("x.csv", "extra,since,city,income,id\n1,2020-01-01,a,5,1\n");
    assert!(read_table(&path, &contract(), Purpose::Training, 9).is_err());
    let (table, report) = read_table(&path, &contract(), Purpose::Scoring, 9).unwrap();
    let names: Vec<&str> = table.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["id", "income", "city", "since"]);
    assert_eq!(report.unknown_columns, ["extra"]);
    assert!(!report.has_critical() && report.counts[0].rule == "unknown_column");
}

#[test]
fn scoring_refuses_no_row_for_a_column_it_can_do_without() {
    let folder = Folder::new();
    let path = folder.file("x.csv", "id,income,city,since,bad\n1,5,a,,\n2,5,a,,maybe\n3,-5,a,,1\n");
    let mut contract = contract().columns().to_vec();
    contract.iter_mut().filter(|c| c.name == "bad").for_each(|c| c.required = true);
    let contract = RawContract { columns: contract }.check().unwrap();
    let (table, report) = read_table(&path, &contract, Purpose::Scoring, 9).unwrap();
    assert_eq!((table.rows(), report.rows_rejected), (2, 1));
    assert_eq!(table.find_column("bad").unwrap().cell(1), Cell::Missing);
    let counts: Vec<(Severity, &str)> = report.counts.iter().map(|c| (c.severity, c.rule.as_str())).collect();
    assert_eq!(counts, [(Severity::Critical, "min"), (Severity::Warning, "type")]);
}

#[test]
fn an_open_quotation_mark_ends_with_an_error_and_not_with_all_memory() {
    let text = format!("{HEADER}1,10,\"a,,,,f,1\n{}", "2,10,a,,,,f,1\n".repeat(300_000));
    assert!(matches!(refused(&text), DataError::RecordTooLong { row: 1, .. }));
}

#[test]
fn a_cut_gz_file_is_damaged() {
    let folder = Folder::new();
    let whole = gz(format!("{HEADER}{}", "1,10,a,,,,f,1\n".repeat(100)).as_bytes());
    let path = folder.file("x.gz", &whole[..whole.len() - 9]);
    let error = read_table(&path, &contract(), Purpose::Training, 1_000).unwrap_err();
    assert_eq!(error.code(), "data.damaged");
    let path = folder.file("x.parquet", b"PAR1 and nothing else");
    let error = read_table(&path, &contract(), Purpose::Training, 1_000).unwrap_err();
    assert_eq!(error.code(), "data.parquet");
}

#[test]
fn too_many_rows_are_refused() {
    let folder = Folder::new();
    let path = folder.file("x.csv", format!("{HEADER}{}", "1,10,a,,,,f,1\n".repeat(6)));
    assert!(read_table(&path, &contract(), Purpose::Training, 6).is_ok());
    let error = read_table(&path, &contract(), Purpose::Training, 5).unwrap_err();
    assert_eq!(error.code(), "data.too_many_rows");
}

#[test]
fn casts_and_defaults_apply_while_reading_and_not_twice() {
    let folder = Folder::new();
    let with = |name: &str, kind, cast| ColumnSpec {
        cast: Some(cast),
        ..ColumnSpec::new(name, kind, Role::Feature)
    };
    let columns = vec![
        with("rate", Kind::Number, Cast::Percent),
        with("term", Kind::Integer, Cast::FirstNumber),
        with("issued", Kind::Date, Cast::MonthYear),
        with("grade", Kind::Text, Cast::Uppercase),
        ColumnSpec { default: Some("5".into()), ..ColumnSpec::new("open", Kind::Integer, Role::Feature) },
        ColumnSpec::new("bad", Kind::Boolean, Role::Target),
    ];
    let contract = RawContract { columns }.check().unwrap();
    let path = folder
        .file("x.csv", "rate,term,issued,grade,open,bad\n10.65%, 36 months,Dec-2011,a,,0\n,n/a,,,7,1\n");
    let mut reader = Reader::open(&path, &contract, Purpose::Training).unwrap();
    let chunk = reader.next_chunk(9).unwrap().unwrap();
    assert_eq!(chunk.defaulted, [vec!["open".to_string()], vec![]], "{:?}", chunk.rejected);
    let first: Vec<Cell<'_>> = chunk.table.columns().iter().map(|c| c.cell(0)).collect();
    assert_eq!(
        first[..4],
        [Cell::Number(0.1065), Cell::Number(36.0), Cell::Number(15309.0), Cell::Text("A")]
    );
    for name in ["again.parquet", "again.csv"] {
        let path = folder.0.path().join(name);
        write_as(&path, &chunk.table);
        let (again, _) = read_table(&path, &contract, Purpose::Training, 9).unwrap();
        assert_eq!(again.content_digest(), chunk.table.content_digest(), "{name}");
    }
}

fn write_as(path: &Path, table: &Table) {
    if path.extension().is_some_and(|e| e == "parquet") {
        return write_parquet(path, table).unwrap();
    }
    let mut sink =
        CsvSink::create(path, table.columns().iter().map(|c| (c.name.to_string(), c.kind)).collect())
            .unwrap();
    sink.write(table).unwrap();
    assert_eq!(sink.finish().unwrap(), table.rows() as u64);
}

#[test]
fn the_same_rows_in_other_pieces_give_the_same_parquet_bytes() {
    let folder = Folder::new();
    let columns = vec![("x".to_string(), Kind::Number), ("c".to_string(), Kind::Text)];
    let mut builder = TableBuilder::new(columns.iter().map(|(n, k)| (n.as_str(), *k)));
    for row in 0..10_000 {
        let text = format!("level {}", row % 700);
        builder.push_row([Cell::Number(f64::from(row) / 7.0), Cell::Text(&text)]);
    }
    let table = builder.finish();
    let bytes = |step: usize| {
        let path = folder.0.path().join(format!("{step}.parquet"));
        let mut sink = ParquetSink::create(&path, columns.clone()).unwrap();
        let rows: Vec<usize> = (0..table.rows()).collect();
        rows.chunks(step).for_each(|piece| sink.write(&table.select(piece)).unwrap());
        sink.finish().unwrap();
        fs::read(path).unwrap()
    };
    assert_eq!(bytes(10_000), bytes(333));
}

#[test]
fn an_unfinished_file_does_not_appear() {
    let folder = Folder::new();
    let path = folder.0.path().join("x.parquet");
    drop(ParquetSink::create(&path, vec![("x".to_string(), Kind::Number)]).unwrap());
    assert_eq!(fs::read_dir(folder.0.path()).unwrap().count(), 0);
}

fn cells() -> impl Strategy<Value = Vec<(i64, f64, String, i32, bool)>> {
    let text = prop_oneof![
        Just(String::new()),
        "[a-zA-Z0-9äöü€,;\"'\n\r. -]{0,12}".prop_map(|s| s.trim().to_string())
    ];
    let wide = any::<f64>().prop_filter("a figure", |x| x.abs() <= limits::NUMBER_MAGNITUDE_MAX);
    let number = prop_oneof![wide, 0.0..1e6];
    let whole = -9_007_199_254_740_992i64..=9_007_199_254_740_992;
    prop::collection::vec((whole, number, text, -700_000..2_900_000, any::<bool>()), 1..40)
}

fn laws_contract() -> Contract {
    let kinds = [("i", Kind::Integer), ("n", Kind::Number), ("t", Kind::Text), ("d", Kind::Date)];
    let mut columns: Vec<ColumnSpec> =
        kinds.map(|(name, kind)| ColumnSpec::new(name, kind, Role::Feature)).to_vec();
    columns.push(ColumnSpec::new("b", Kind::Boolean, Role::Target));
    RawContract { columns }.check().unwrap()
}

fn table_of(rows: &[(i64, f64, String, i32, bool)]) -> Table {
    let contract = laws_contract();
    let mut builder = TableBuilder::new(contract.columns().iter().map(|c| (c.name.as_str(), c.kind)));
    for (i, n, t, d, b) in rows {
        let text = if t.is_empty() { Cell::Missing } else { Cell::Text(t) };
        let number = if *b { Cell::Number(*n) } else { Cell::Missing };
        builder.push_row([
            Cell::Number(*i as f64),
            number,
            text,
            Cell::Number(f64::from(*d)),
            Cell::Number(f64::from(u8::from(*b))),
        ]);
    }
    builder.finish()
}

#[test]
fn a_damaged_parquet_file_is_an_error_and_never_a_panic() {
    let folder = Folder::new();
    let path = folder.0.path().join("x.parquet");
    let row = |i: i32| (i64::from(i), f64::from(i) / 3.0, format!("level {}", i % 17), i, i % 3 == 0);
    write_as(&path, &table_of(&(0..500).map(row).collect::<Vec<_>>()));
    let good = fs::read(&path).unwrap();
    let mut random = Random::new(1, "damage");
    for _ in 0..500 {
        let mut bytes = good.clone();
        // Half of the flips go into the footer, where the decoder trusts most.
        let at = if random.below(2) == 0 {
            random.below(bytes.len())
        } else {
            bytes.len() - 1 - random.below(600)
        };
        bytes[at] = random.below(256) as u8;
        fs::write(&path, &bytes).unwrap();
        if let Err(error) = read_table(&path, &laws_contract(), Purpose::Training, 1_000) {
            assert_eq!(error.class(), Class::DataRefused, "{error}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic_or_lose_a_row(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = Folder::new();
        let path = folder.file("x.csv", [b"i,n,t,d,b\n", bytes.as_slice()].concat());
        if let Ok((table, report)) = read_table(&path, &laws_contract(), Purpose::Training, 1_000) {
            prop_assert_eq!(table.rows() as u64, report.rows_good);
            prop_assert_eq!(report.rows_good + report.rows_rejected, report.rows_read);
        }
    }

    #[test]
    fn what_is_written_reads_back_in_any_chunks(rows in cells(), step in 1usize..9, skip in 0u64..40) {
        let table = table_of(&rows);
        let folder = Folder::new();
        for name in ["x.csv", "x.parquet"] {
            let path = folder.0.path().join(name);
            write_as(&path, &table);
            let (whole, report) = read_table(&path, &laws_contract(), Purpose::Training, 100).unwrap();
            prop_assert_eq!(whole.content_digest(), table.content_digest(), "{} {:?}", name, report.findings);
            let mut reader = Reader::open(&path, &laws_contract(), Purpose::Training).unwrap();
            let mut seen = 0;
            while let Some(chunk) = reader.next_chunk(step).unwrap() {
                seen += chunk.rows_read;
            }
            prop_assert_eq!(seen, rows.len() as u64);
            prop_assert_eq!(reader.into_report().content_digest, table.content_digest());
            let mut reader = Reader::open(&path, &laws_contract(), Purpose::Training).unwrap();
            let skipped = reader.skip_rows(skip).unwrap();
            prop_assert_eq!(skipped, skip.min(rows.len() as u64));
            let rest: Vec<usize> = (skipped as usize..rows.len()).collect();
            let chunk = reader.next_chunk(1_000).unwrap();
            let first = chunk.as_ref().map(|c| c.first_row);
            prop_assert_eq!(first, (!rest.is_empty()).then_some(skipped + 1));
            prop_assert_eq!(reader.into_report().content_digest, table.select(&rest).content_digest());
        }
    }
}
