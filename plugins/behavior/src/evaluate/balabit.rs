use super::{EvaluateError, Options, Report, Trial};

pub(super) fn official(_: &Options) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}

pub(super) fn sequential(_: &Options) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}
