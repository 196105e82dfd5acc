use super::{EvaluateError, Options, Report, Trial};

pub(super) fn fixed(_: &Options, _: usize) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}

pub(super) fn update(_: &Options, _: usize) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}

pub(super) fn near(_: &Options, _: usize) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}

pub(super) fn practised(_: &Options, _: usize) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}

pub(super) fn iiitbh(_: &Options, _: usize) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}

pub(super) fn attacks(_: &Options) -> Result<(Report, Vec<Trial>), EvaluateError> {
    Err(EvaluateError::Data("not built".to_owned()))
}
