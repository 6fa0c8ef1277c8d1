//! Placeholder while the codec is being written.
use std::task::{Context, Poll};
use bytes::Bytes;
use omniroute_domain::Fault;
use omniroute_wire::splice::Segments;
use crate::answer::Answer;
use crate::limits::Limits;
pub(crate) async fn answer(_b: &Segments, _l: &Limits) -> Result<Answer, Fault> { Err(Fault::new(omniroute_domain::FaultKind::Internal, "x", "x")) }
pub(crate) struct Script {}
impl Script { pub(crate) fn poll(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> { Poll::Ready(None) } }
