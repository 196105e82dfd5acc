//! Reading the data sets: gzipped CSV, columns by their names.

use super::{EvaluateError, Options};
use flate2::read::GzDecoder;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

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
/// [`EvaluateError::File`] if it can't be read, is no gzipped CSV, lacks a column, or a value is not what the column holds.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, EvaluateError> {
    let fault = |why: String| EvaluateError::File {
        path: path.display().to_string(),
        why,
    };
    let file = File::open(path).map_err(|error| fault(error.to_string()))?;
    let mut reader = csv::Reader::from_reader(GzDecoder::new(BufReader::new(file)));
    let rows: Vec<T> = reader
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|error| fault(error.to_string()))?;
    if rows.is_empty() {
        return Err(fault("it has no rows".to_owned()));
    }
    Ok(rows)
}
