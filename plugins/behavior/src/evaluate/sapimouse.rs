use super::{EvaluateError, Options, Report, Trial};

pub(super) fn run(_: &Options, _: Option<usize>) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}
