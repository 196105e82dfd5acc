use super::{EvaluateError, Options, Report, Trial};

pub(super) fn windows(_: &Options, _: usize, _: bool) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}

pub(super) fn sequential(_: &Options, _: bool) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}
