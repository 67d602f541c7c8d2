//! stub
use super::rules::Rules;
use super::signal::Signal;
use crate::error::Result;
use crate::products::Project;
use crate::progress::Progress;
use crate::scratch::Room;
use std::path::Path;
pub(super) fn filter(
    _s: &Path,
    _p: &Project,
    _g: &Signal,
    _r: &Rules,
    _o: &Room<'_>,
    _q: &Progress,
) -> Result<String> {
    todo!()
}
