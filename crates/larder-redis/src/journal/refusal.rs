//! Why a verb of a journal was not done, as its script or its server says.

use larder::behind::JournalError;

use crate::answer::Answer;
use crate::fault::{Fault, FaultKind};

/// Why a verb was not done.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Refusal {
    /// Another process has the journal, for this long unless it asks for more: then `until_us` changes.
    #[error("{holder} has it")]
    Taken { holder: String, left_ms: u64, until_us: u64, has_records: bool },
    /// Nobody has it, and nobody has left anything in it.
    #[error("it is empty")]
    Empty,
    /// Another process has, or had, taken it from this one.
    #[error("{holder} has taken it")]
    Lost { holder: String },
    /// The server has nothing of this journal any more: it was emptied, or began anew. What memory has
    /// can be flushed until another process opens the new one: from then on this one has
    /// [lost](Self::Lost) it, with what it has not flushed.
    #[error(
        "the server has lost it, with what was acknowledged; what this process has is flushed \
         unless another process opens it before, and the next start begins a new one"
    )]
    Gone,
    /// A sequence that is not above all before it, and no repetition.
    #[error("record {sequence} does not follow those before it")]
    Conflict { sequence: String },
    /// Somebody else has written to the stream.
    #[error("its stream has the entry {id}, which larder did not write")]
    Foreign { id: String },
    /// Not the answer of a script.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Refusal {
    /// What a script has answered, unless it refused.
    pub(super) fn unless_done(mut answer: Answer) -> Result<Answer, Self> {
        let word = answer.bytes()?;
        let text = |answer: &mut Answer| {
            answer.bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        };
        match word.as_slice() {
            b"ok" => Ok(answer),
            b"taken" => {
                let (holder, left_ms) = (text(&mut answer)?, answer.number()?);
                let (until_us, has_records) = (answer.number()?, answer.number()? > 0);
                Err(Refusal::Taken { holder, left_ms, until_us, has_records })
            }
            b"empty" => Err(Refusal::Empty),
            b"lost" => {
                let holder = Some(text(&mut answer)?).filter(|holder| !holder.is_empty());
                let gone = "another process, which has let go of it again,";
                Err(Refusal::Lost { holder: holder.unwrap_or_else(|| gone.to_owned()) })
            }
            b"gone" => Err(Refusal::Gone),
            b"conflict" => Err(Refusal::Conflict { sequence: text(&mut answer)? }),
            b"foreign" => Err(Refusal::Foreign { id: text(&mut answer)? }),
            _ => Err(Fault::unexpected("journal", &redis::Value::BulkString(word)).into()),
        }
    }

    pub(super) fn into_error(self, after_ms: u64) -> JournalError {
        match self {
            Refusal::Taken { .. } => JournalError::InUse { holder: self.to_string() },
            Refusal::Lost { .. } => JournalError::Lost { to: self.to_string() },
            Refusal::Fault(fault) if fault.kind == FaultKind::TimedOut => {
                JournalError::TimedOut { after_ms }
            }
            Refusal::Fault(fault) if fault.kind == FaultKind::Full => JournalError::no_room(fault),
            other => JournalError::failed(other),
        }
    }
}
