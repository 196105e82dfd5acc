//! Reading the data sets: gzipped CSV, columns by their names.
//!
//! Whatever is wrong is said with the file, the line and the column, so that who prepared the file finds it.

use super::{EvaluateError, Options};
use csv::{DeserializeErrorKind, ErrorKind, StringRecord};
use flate2::bufread::MultiGzDecoder;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Bytes that a file may unpack to: far above the data sets', far below what would bring the machine down.
const MOST_BYTES: u64 = 2 << 30;

/// What a gzip file begins with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The rows of all data files.
///
/// # Errors
/// As for [`read`].
pub(super) fn data<T: DeserializeOwned>(options: &Options) -> Result<Vec<T>, EvaluateError> {
    let mut rows = Vec::new();
    for path in &options.data {
        rows.extend(read(path)?);
    }
    Ok(rows)
}

/// The rows of one file.
///
/// # Errors
/// [`EvaluateError::File`] if it can't be read, is no gzipped CSV, lacks a column or has one twice, a value is not what the column
/// holds or is no finite number, or there are no rows.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, EvaluateError> {
    let mut table = Table::open(path)?;
    let (mut record, mut rows) = (StringRecord::new(), Vec::new());
    while table.next_row(&mut record)? {
        let row = record.deserialize(Some(table.headers()));
        rows.push(row.map_err(|error| table.misfit(&record, error))?);
    }
    Ok(rows)
}

/// A file that is being read, for a reader that finds its columns itself: by a prefix, or where two have the same name.
pub(super) struct Table {
    path: String,
    headers: StringRecord,
    reader: csv::Reader<Box<dyn Read>>,
    rows: u64,
}

impl Table {
    /// Opens a file and reads the names of its columns.
    ///
    /// # Errors
    /// [`EvaluateError::File`] if it can't be read or is not gzipped.
    pub(super) fn open(path: &Path) -> Result<Self, EvaluateError> {
        Self::capped(path, MOST_BYTES)
    }

    fn capped(path: &Path, most: u64) -> Result<Self, EvaluateError> {
        let path_name = path.display().to_string();
        let fault = |why: String| EvaluateError::File {
            path: path_name.clone(),
            why,
        };
        let file = File::open(path).map_err(|error| fault(error.to_string()))?;
        let mut file = BufReader::new(file);
        if !file.fill_buf().map_err(|error| fault(error.to_string()))?.starts_with(&MAGIC) {
            return Err(fault("it is not gzipped".to_owned()));
        }
        let unpacked: Box<dyn Read> = Box::new(Capped {
            from: MultiGzDecoder::new(file),
            left: most,
        });
        let mut reader = csv::Reader::from_reader(unpacked);
        let headers = reader.headers().cloned().map_err(|error| fault(unreadable(&error)))?;
        Ok(Self {
            path: path_name,
            headers,
            reader,
            rows: 0,
        })
    }

    /// The names of the columns.
    pub(super) fn headers(&self) -> &StringRecord {
        &self.headers
    }

    /// Reads the next row; false if there is none.
    ///
    /// # Errors
    /// [`EvaluateError::File`] if the file is damaged, a row is longer or shorter than the header, a value is a number that is not
    /// finite, or there was no row at all.
    pub(super) fn next_row(&mut self, record: &mut StringRecord) -> Result<bool, EvaluateError> {
        let more = self.reader.read_record(record).map_err(|error| self.broken(&error))?;
        if !more && self.rows == 0 {
            return Err(self.fault("it has no rows"));
        }
        self.rows += u64::from(more);
        match record.iter().position(not_finite) {
            Some(column) if more => {
                let (name, value) = (self.headers().get(column).unwrap_or("?"), &record[column]);
                Err(self.fault_at(record, &format!("column `{name}`: {value:?} is no finite number")))
            }
            _ => Ok(more),
        }
    }

    /// Something is wrong with the file.
    pub(super) fn fault(&self, why: &str) -> EvaluateError {
        EvaluateError::File {
            path: self.path.clone(),
            why: why.to_owned(),
        }
    }

    /// Something is wrong with a row of it.
    pub(super) fn fault_at(&self, record: &StringRecord, why: &str) -> EvaluateError {
        let line = record.position().map_or(0, csv::Position::line);
        EvaluateError::File {
            path: format!("{}:{line}", self.path),
            why: why.to_owned(),
        }
    }

    /// The csv crate's error while it read a row.
    fn broken(&self, error: &csv::Error) -> EvaluateError {
        let why = unreadable(error);
        match error.position() {
            Some(at) => EvaluateError::File {
                path: format!("{}:{}", self.path, at.line()),
                why,
            },
            None => self.fault(&why),
        }
    }

    /// A row that is not what its reader wants.
    fn misfit(&self, record: &StringRecord, error: csv::Error) -> EvaluateError {
        let ErrorKind::Deserialize { err, .. } = error.kind() else {
            return self.broken(&error);
        };
        if let DeserializeErrorKind::Message(message) = err.kind() {
            // Serde's words for a field without a column.
            return match message.strip_prefix("missing field ") {
                Some(name) => self.fault(&format!("there is no column {name}")),
                None => self.fault_at(record, message),
            };
        }
        let column = err.field().and_then(|field| usize::try_from(field).ok());
        match column.and_then(|column| self.headers.get(column).zip(record.get(column))) {
            Some((name, value)) => self.fault_at(record, &format!("column `{name}`: {value:?}: {}", err.kind())),
            None => self.fault_at(record, &err.kind().to_string()),
        }
    }
}

/// `NaN` and the infinities parse as numbers, and spoil every figure.
fn not_finite(value: &str) -> bool {
    let word = value.trim_start_matches(['+', '-']);
    ["nan", "inf", "infinity"].iter().any(|name| word.eq_ignore_ascii_case(name))
}

/// The csv crate's error in our words.
fn unreadable(error: &csv::Error) -> String {
    match error.kind() {
        ErrorKind::Io(error) => format!("it can't be unpacked: {error}"),
        ErrorKind::UnequalLengths { expected_len, len, .. } => format!("{len} values in {expected_len} columns"),
        ErrorKind::Utf8 { .. } => "it is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// Ends with an error after too many bytes: a small file can unpack to more than any disk holds.
struct Capped<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(into)?;
        match self.left.checked_sub(count as u64) {
            Some(left) => {
                self.left = left;
                Ok(count)
            }
            None => Err(io::Error::other("there is too much in it")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use serde::Deserialize;
    use std::io::Write;
    use std::path::PathBuf;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        user: String,
        ms: f64,
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// A file in a folder that goes away with the test.
    fn file(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data.csv.gz");
        std::fs::write(&path, bytes).unwrap();
        (folder, path)
    }

    fn rows(bytes: &[u8]) -> Result<Vec<Row>, String> {
        let (_folder, path) = file(bytes);
        read(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
    }

    fn refused(text: &str) -> String {
        rows(&gzip(text)).unwrap_err()
    }

    #[test]
    fn columns_are_found_by_their_names_in_any_order_beside_others() {
        let rows = rows(&gzip("ms,other,user\n1.5,x,\"a,b\"\n-2,,b\n")).unwrap();
        let row = |user: &str, ms| Row {
            user: user.to_owned(),
            ms,
        };
        assert_eq!(rows, [row("a,b", 1.5), row("b", -2.0)]);
    }

    #[test]
    fn a_file_put_together_from_gzipped_parts_is_read_whole() {
        let parts = [gzip("user,ms\na,1\n"), gzip("b,2\n"), gzip("c,3\n")].concat();
        assert_eq!(rows(&parts).unwrap().len(), 3);
    }

    #[test]
    fn what_is_wrong_is_said_with_file_line_and_column() {
        assert_eq!(refused("user,other\na,1\n"), "FILE: there is no column `ms`");
        assert_eq!(
            refused("user,ms\na,1\nb,fast\n"),
            "FILE:3: column `ms`: \"fast\": invalid float literal"
        );
        assert_eq!(refused("user,ms\na,1\nb\n"), "FILE:3: 1 values in 2 columns");
        assert_eq!(refused("user,ms\n"), "FILE: it has no rows");
        assert_eq!(refused(""), "FILE: it has no rows");
        for number in ["NaN", "inf", "-Infinity"] {
            let why = format!("FILE:2: column `ms`: {number:?} is no finite number");
            assert_eq!(refused(&format!("user,ms\na,{number}\n")), why);
        }
    }

    #[test]
    fn a_file_that_is_no_whole_gzip_file_is_refused() {
        assert_eq!(rows(b"user,ms\na,1\n").unwrap_err(), "FILE: it is not gzipped");
        assert_eq!(rows(b"").unwrap_err(), "FILE: it is not gzipped");
        let whole = gzip(&format!("user,ms\n{}", "a,1\n".repeat(1000)));
        for length in [2, 5, 12, whole.len() - 4] {
            let error = rows(&whole[..length]).unwrap_err();
            assert!(error.contains("can't be unpacked"), "{length}: {error}");
        }
        let mut damaged = whole;
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0x55;
        assert!(rows(&damaged).is_err());
    }

    #[test]
    fn a_file_that_unpacks_to_too_much_is_refused() {
        let (_folder, path) = file(&gzip(&format!("user,ms\n{}", "a,1\n".repeat(1000))));
        let read = |most| {
            let mut table = Table::capped(&path, most)?;
            let mut record = StringRecord::new();
            while table.next_row(&mut record)? {}
            Ok(table.rows)
        };
        assert_eq!(read(8 + 4000).unwrap(), 1000);
        let error: EvaluateError = read(8 + 3999).unwrap_err();
        assert!(error.to_string().ends_with("there is too much in it"), "{error}");
    }

    #[test]
    fn columns_of_the_same_name_can_be_read_by_their_place() {
        let (_folder, path) = file(&gzip("user,H.a,H.a,H.a.1\nx,1,2,3\n"));
        let mut table = Table::open(&path).unwrap();
        assert_eq!(table.headers().iter().filter(|name| name.starts_with("H.")).count(), 3);
        let mut record = StringRecord::new();
        assert!(table.next_row(&mut record).unwrap());
        assert_eq!(record.iter().collect::<Vec<_>>(), ["x", "1", "2", "3"]);
        assert_eq!(table.fault_at(&record, "no").to_string(), format!("{}:2: no", path.display()));
        assert!(!table.next_row(&mut record).unwrap());
    }
}
