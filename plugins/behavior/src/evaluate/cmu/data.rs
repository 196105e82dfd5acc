//! Repetitions of one text by many people: the column layout of CMU and IIIT-BH.

use crate::evaluate::{EvaluateError, Options};
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Keys of the texts in both data sets: ten characters and Return.
const KEYS: usize = 11;

/// One repetition, in milliseconds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Typed {
    pub(super) hold_ms: Vec<f64>,
    pub(super) down_ms: Vec<f64>,
}

/// Somebody's repetitions in the order of time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Typist {
    pub(super) name: String,
    pub(super) typed: Vec<Typed>,
}

/// The typists of all data files, by name.
///
/// # Errors
/// [`EvaluateError`] if a file can't be read, lacks a column, a value is no number, a repetition is there twice, a typist has
/// fewer than `least` repetitions, or there are fewer than two typists.
pub(super) fn typists(options: &Options, least: usize) -> Result<Vec<Typist>, EvaluateError> {
    let mut rows = BTreeMap::new();
    for path in &options.data {
        read(path, &mut rows)?;
    }
    let mut typists: Vec<Typist> = Vec::new();
    for ((name, _, _), typed) in rows {
        match typists.last_mut() {
            Some(typist) if typist.name == name => typist.typed.push(typed),
            _ => typists.push(Typist {
                name,
                typed: vec![typed],
            }),
        }
    }
    if let Some(short) = typists.iter().find(|typist| typist.typed.len() < least) {
        let (name, has) = (&short.name, short.typed.len());
        return Err(EvaluateError::Data(format!(
            "{name} has {has} repetitions; the protocol needs {least}"
        )));
    }
    if typists.len() < 2 {
        return Err(EvaluateError::Data("the protocol needs at least two typists".to_owned()));
    }
    Ok(typists)
}

/// Repetitions by typist, session and number in the session.
type Rows = BTreeMap<(String, u32, u32), Typed>;

fn read(path: &Path, rows: &mut Rows) -> Result<(), EvaluateError> {
    let fault = |why: String| EvaluateError::File {
        path: path.display().to_string(),
        why,
    };
    let file = File::open(path).map_err(|error| fault(error.to_string()))?;
    let mut reader = csv::Reader::from_reader(GzDecoder::new(BufReader::new(file)));
    let columns = Columns::of(reader.headers().map_err(|error| fault(error.to_string()))?).map_err(fault)?;
    let before = rows.len();
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|error| fault(error.to_string()))?;
        let (key, typed) = columns.row(&record).map_err(|why| fault(format!("row {}: {why}", i + 1)))?;
        if rows.insert(key, typed).is_some() {
            return Err(fault(format!("row {}: this repetition is there twice", i + 1)));
        }
    }
    if rows.len() == before {
        return Err(fault("it has no rows".to_owned()));
    }
    Ok(())
}

/// Where the columns are.
struct Columns {
    subject: usize,
    session: usize,
    rep: usize,
    hold: Vec<usize>,
    down: Vec<usize>,
}

impl Columns {
    /// Finds them by their names: `H.` and a key, `DD.` and `UD.` and two keys, in the order of the text.
    fn of(headers: &csv::StringRecord) -> Result<Self, String> {
        let named = |name: &str| headers.iter().position(|header| header == name);
        let column = |name: &str| named(name).ok_or_else(|| format!("column {name} is missing"));
        let prefixed = |prefix: &str| -> Vec<usize> {
            let all = headers.iter().enumerate();
            all.filter(|(_, header)| header.starts_with(prefix)).map(|(i, _)| i).collect()
        };
        let (hold, down, up_down) = (prefixed("H."), prefixed("DD."), prefixed("UD."));
        for (prefix, found, wanted) in [
            ("H.", hold.len(), KEYS),
            ("DD.", down.len(), KEYS - 1),
            ("UD.", up_down.len(), KEYS - 1),
        ] {
            if found != wanted {
                return Err(format!("{found} columns {prefix}* where {wanted} are needed"));
            }
        }
        Ok(Self {
            subject: column("subject")?,
            session: column("sessionIndex")?,
            rep: column("rep")?,
            hold,
            down,
        })
    }

    fn row(&self, record: &csv::StringRecord) -> Result<((String, u32, u32), Typed), String> {
        let text = |i: usize| record.get(i).unwrap_or_default();
        let count = |i: usize| text(i).parse::<u32>().map_err(|_| format!("{:?} is no count", text(i)));
        let times = |columns: &[usize]| -> Result<Vec<f64>, String> {
            let time = |i: &usize| match text(*i).parse::<f64>() {
                Ok(seconds) if seconds.is_finite() => Ok(seconds * 1000.0),
                _ => Err(format!("{:?} is no time", text(*i))),
            };
            columns.iter().map(time).collect()
        };
        let typed = Typed {
            hold_ms: times(&self.hold)?,
            down_ms: times(&self.down)?,
        };
        Ok(((text(self.subject).to_owned(), count(self.session)?, count(self.rep)?), typed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(without: &str) -> csv::StringRecord {
        let mut names = vec!["subject".to_owned(), "sessionIndex".to_owned(), "rep".to_owned()];
        for key in 0..KEYS {
            names.push(format!("H.{key}"));
            if key + 1 < KEYS {
                names.push(format!("DD.{key}.{}", key + 1));
                names.push(format!("UD.{key}.{}", key + 1));
            }
        }
        names.into_iter().filter(|name| name != without).collect()
    }

    #[test]
    fn a_missing_column_is_named() {
        assert!(Columns::of(&headers("")).is_ok());
        for (without, named) in [
            ("rep", "rep"),
            ("subject", "subject"),
            ("H.3", "H."),
            ("DD.3.4", "DD."),
            ("UD.0.1", "UD."),
        ] {
            let error = Columns::of(&headers(without)).err().unwrap();
            assert!(error.contains(named), "{without}: {error}");
        }
    }

    #[test]
    fn times_become_milliseconds_and_nonsense_is_refused() {
        let columns = Columns::of(&headers("")).unwrap();
        let mut fields = vec!["s002".to_owned(), "1".to_owned(), "2".to_owned()];
        fields.extend(std::iter::repeat_n("0.125".to_owned(), 31));
        let ((name, session, rep), typed) = columns.row(&fields.iter().collect()).unwrap();
        assert_eq!((name.as_str(), session, rep), ("s002", 1, 2));
        assert_eq!((typed.hold_ms, typed.down_ms), (vec![125.0; 11], vec![125.0; 10]));
        fields[7] = "fast".to_owned();
        assert!(columns.row(&fields.iter().collect()).is_err());
    }
}
