//! Why an obligation was fulfilled or not.

use crate::Registry;
use quoteclock_explain::{At, Explainer, Explanation, Judged, Provenance, QuestionError};
use quoteclock_replay::{Input, Progress, Replay, ReplayError};
use quoteclock_store::Digest;
use thiserror::Error;

use crate::ReplayOptions;

/// What is asked: one obligation, at an instant or along the day.
///
/// ```
/// let question = quoteclock::Question::new("MM1", "1306");
/// assert_eq!(question.obligation, "general");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The market maker, by the registry's short name.
    pub market_maker: String,
    /// The issue's code.
    pub issue: String,
    /// `general`, `general:<criterion>`, `sponsored:<condition>` or `matching:<condition>`.
    pub obligation: String,
    /// The instant; otherwise the day.
    pub at: Option<At>,
    /// How many breaches are explained, the longest first.
    pub breaches_max: usize,
}

impl Question {
    /// The day of the general obligation, with its ten longest breaches.
    ///
    /// ```
    /// # use quoteclock::Question;
    /// let question = Question { at: Some("10:16".parse()?), ..Question::new("MM1", "1306") };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(market_maker: &str, issue: &str) -> Question {
        Question {
            market_maker: market_maker.to_owned(),
            issue: issue.to_owned(),
            obligation: "general".to_owned(),
            at: None,
            breaches_max: 10,
        }
    }
}

/// Why there is no answer.
///
/// ```
/// use quoteclock::{ExplainError, Input, Question, Registry, ReplayOptions, UNWATCHED, explain};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let answer = explain(&input, &registry, &ReplayOptions::default(), &Question::new("MM1", "9999"), UNWATCHED);
/// assert!(matches!(answer, Err(ExplainError::Question(_))), "nobody is signed up for 9999");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// The input cannot be measured.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The day has no such obligation, or no such instant.
    #[error(transparent)]
    Question(#[from] QuestionError),
}

/// Measures a day as [`replay_with`](crate::replay_with) does, watches one obligation, and says why it was fulfilled or
/// not: what was quoted level by level, what began and ended each breach, what would have sufficed. It names what it rests on, with
/// the hash of the input if the options ask for it.
///
/// [`render_text`](crate::render_text), [`write_json`](crate::write_json) and [`write_html`](crate::write_html) show it.
///
/// # Errors
/// [`ExplainError`].
///
/// # Panics
/// Never: a question that names an issue has an answer.
///
/// ```
/// use quoteclock::{Input, Question, Registry, ReplayOptions, State, Style, UNWATCHED, explain, render_text};
///
/// let registry = Registry::open("../../replay-data/tse-small/registry")?;
/// let input = Input::named("../../replay-data/tse-small/2024-03-01.csv".as_ref());
/// let question = Question { at: Some("10:16".parse()?), ..Question::new("MM1", "1306") };
/// let explanation = explain(&input, &registry, &ReplayOptions::default(), &question, UNWATCHED)?;
/// let moment = explanation.moment.as_ref().expect("an instant was asked for");
/// assert!(matches!(moment.state(), State::Breach(_)));
/// assert!(render_text(&explanation, Style { width: 120, colour: false }).contains("not fulfilled: spread"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn explain(
    input: &Input,
    registry: &Registry,
    options: &ReplayOptions,
    question: &Question,
    progress: Progress<'_>,
) -> Result<Explanation, ExplainError> {
    let Question { market_maker, issue, obligation, at, breaches_max } = question.clone();
    let (issue, obligation) = (Some(issue), Some(obligation));
    let question = quoteclock_explain::Question { market_maker, issue, obligation, at, limit: breaches_max };
    let beside = &options.beside;
    let begin = |options| {
        Explainer::new(registry.tables(), options, question.clone())
            .map(|explainer| explainer.with_also(beside.names()))
            .map_err(|source| ReplayError::Day { file: input.name(), source })
    };
    let replay = Replay { registry: registry.tables(), input, options: &options.day(), beside, progress };
    let (_, answer, hashes) = replay.run_issues(&question.issues(registry.tables()), options.is_hashed, begin)?;
    let mut answers = answer?;
    if 1 < answers.len() {
        // `general` is several criteria, of which one is asked about.
        let Explanation { subject, plan, .. } = &answers[0];
        let known: Vec<String> = answers.iter().map(|of| of.subject.obligation.to_string()).collect();
        return Err(ExplainError::Question(QuestionError::Obligation {
            market_maker: subject.market_maker.clone(),
            issue: subject.issue.clone(),
            date: plan.date,
            found: "general".to_owned(),
            known: known.join(", "),
        }));
    }
    let mut explanation = answers.pop().expect("a question that names an issue has an answer");
    explanation.provenance = Some(Provenance {
        input: input.name(),
        input_sha256: hashes.map(|hashes| Digest(hashes.input).to_string()),
        registry_sha256: registry.digest().to_string(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        judged: if options.lenient { Judged::All } else { Judged::OwnIssues },
    });
    Ok(explanation)
}
