//! What an input's records are pushed through: a day, or whoever watches one, or only wants them.

use crate::{Day, DayError, Finished, RejectSink};
use jiff::civil::Date;
use quoteclock_feed::{Place, RawRecord, Receiver, Stop};
use quoteclock_obligation::DaySink;

/// What takes the records of a day's input, or of several as one.
pub trait InputRun: Receiver {
    /// Takes note that the input is damaged, see [`Day::broken`].
    ///
    /// # Errors
    /// [`Stop`] in a strict run.
    fn broken(&mut self, place: Place, problem: &str, whole: bool, unfinished: &[u8]) -> Result<(), Stop>;

    /// Takes note that all input has been read, see [`Day::end_of_input`].
    ///
    /// # Errors
    /// [`Stop`] if the date that the input states cannot be measured.
    fn end_of_input(&mut self, stated: Option<Date>) -> Result<(), Stop>;

    /// Takes note that the next record is of the input at `index`, see [`Day::source`].
    fn source(&mut self, index: usize);

    /// Takes a record that is not to be applied, see [`Day::pass`].
    ///
    /// # Errors
    /// [`Stop`] in a strict run.
    fn pass(&mut self, record: &RawRecord<'_>) -> Result<(), Stop>;
}

/// One run over the records of a day, of which something comes.
pub trait DayRun: InputRun {
    /// What comes of it.
    type Output;

    /// Ends it.
    ///
    /// # Errors
    /// See [`Day::finish`].
    fn finish(self) -> Result<(Finished, Self::Output), DayError>;
}

impl<S: DaySink, R: RejectSink> InputRun for Day<S, R> {
    fn broken(&mut self, place: Place, problem: &str, whole: bool, unfinished: &[u8]) -> Result<(), Stop> {
        Day::broken(self, place, problem, whole, unfinished)
    }

    fn end_of_input(&mut self, stated: Option<Date>) -> Result<(), Stop> {
        Day::end_of_input(self, stated)
    }

    fn source(&mut self, index: usize) {
        Day::source(self, index);
    }

    fn pass(&mut self, record: &RawRecord<'_>) -> Result<(), Stop> {
        Day::pass(self, record)
    }
}

impl<S: DaySink, R: RejectSink> DayRun for Day<S, R> {
    type Output = (S, R);

    fn finish(self) -> Result<(Finished, (S, R)), DayError> {
        let (finished, sink, rejects) = Day::finish(self)?;
        Ok((finished, (sink, rejects)))
    }
}
