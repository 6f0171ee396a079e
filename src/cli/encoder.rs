//! `newsfold encoder`: checks an encoder before it is configured.

use super::Context;
use super::output::facts;
use crate::domain::Embedding;
use crate::encoder::{Encoder, EncoderFacts};
use crate::wording::{byte_size, grouped_digits};
use serde::Serialize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

#[derive(clap::Subcommand)]
pub enum EncoderCommand {
    /// Load the encoder in a directory, measure its speed, and test whether it recognizes reports of the same event
    /// (exit code 1 if not).
    Check {
        /// Directory with a model in ONNX format and its tokenizer (docs/encoder.md).
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// The languages of the reports. Reports in the other languages are compared with those in the first one.
const LANGUAGES: [&str; 8] =
    ["English", "English, reworded", "German", "Spanish", "Polish", "Russian", "Turkish", "Chinese"];

/// Reports of one event, one in each language.
type Reports = [&'static str; LANGUAGES.len()];

const EVENTS: [Reports; 5] = [
    [
        "Strong earthquake hits central Chile, dozens injured",
        "Tremor shakes Chilean towns and leaves many people hurt",
        "Starkes Erdbeben erschüttert Zentralchile, Dutzende Verletzte",
        "Un fuerte terremoto sacude el centro de Chile y deja decenas de heridos",
        "Silne trzęsienie ziemi w środkowym Chile, dziesiątki rannych",
        "Сильное землетрясение в центральной части Чили, десятки пострадавших",
        "Orta Şili'de güçlü deprem: onlarca yaralı",
        "智利中部发生强烈地震，数十人受伤",
    ],
    [
        "Central bank raises interest rates by half a point",
        "Borrowing gets dearer as the bank lifts its key rate",
        "Zentralbank erhöht die Zinsen um einen halben Prozentpunkt",
        "El banco central sube los tipos de interés medio punto",
        "Bank centralny podnosi stopy procentowe o pół punktu",
        "Центральный банк повышает процентную ставку на полпункта",
        "Merkez bankası faizi yarım puan artırdı",
        "央行加息半个百分点",
    ],
    [
        "Striker signs record contract with a London football club",
        "Forward joins London side in the costliest transfer ever",
        "Stürmer unterschreibt Rekordvertrag bei einem Londoner Fußballverein",
        "El delantero firma un contrato récord con un club de fútbol de Londres",
        "Napastnik podpisał rekordowy kontrakt z londyńskim klubem piłkarskim",
        "Нападающий подписал рекордный контракт с лондонским футбольным клубом",
        "Forvet, Londra futbol kulübüyle rekor sözleşme imzaladı",
        "前锋与伦敦足球俱乐部签下创纪录合同",
    ],
    [
        "Rocket carrying a weather satellite explodes after launch",
        "Weather satellite lost as its rocket blows up above the pad",
        "Rakete mit Wettersatellit explodiert nach dem Start",
        "Explota tras el lanzamiento un cohete con un satélite meteorológico",
        "Rakieta z satelitą pogodowym eksplodowała po starcie",
        "Ракета с метеорологическим спутником взорвалась после запуска",
        "Meteoroloji uydusu taşıyan roket fırlatıldıktan sonra patladı",
        "搭载气象卫星的火箭发射后爆炸",
    ],
    [
        "Court sentences former minister to five years for bribery",
        "Ex-minister jailed for taking bribes",
        "Gericht verurteilt früheren Minister wegen Bestechung zu fünf Jahren Haft",
        "Un tribunal condena a cinco años a un exministro por soborno",
        "Sąd skazał byłego ministra na pięć lat za łapówki",
        "Суд приговорил бывшего министра к пяти годам за взятки",
        "Mahkeme eski bakana rüşvetten beş yıl hapis cezası verdi",
        "法院以受贿罪判处前部长五年徒刑",
    ],
];

/// The number of reports that are joined into one text, which is then about as long as a title and a summary.
const REPORTS_PER_TEXT: usize = 3;

#[derive(Serialize)]
struct CheckResult {
    #[serde(flatten)]
    facts: EncoderFacts,
    /// The number of texts with the length of a title and a summary that one core of this machine encodes per second.
    texts_per_second: f64,
    languages: Vec<LanguageResult>,
    passed: bool,
}

/// The result of the comparison of one language with English.
#[derive(Serialize)]
struct LanguageResult {
    language: &'static str,
    /// The number of English reports whose nearest report in this language is about the same event.
    recognized: usize,
    events: usize,
}

impl EncoderCommand {
    pub fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let EncoderCommand::Check { folder } = self;
        let encoder = Encoder::load(&folder)?;
        let start = Instant::now();
        let texts = EVENTS.iter().flat_map(|reports| reports.windows(REPORTS_PER_TEXT));
        let encoded = texts.map(|reports| encoder.encode(&reports.join(". "))).collect::<Result<Vec<_>, _>>()?;
        let texts_per_second = encoded.len() as f64 / start.elapsed().as_secs_f64();
        let languages = compare_languages(&encoder)?;
        // A model for English alone is valid, so the other languages do not affect the result.
        let passed = languages[0].recognized == EVENTS.len();
        let result = CheckResult { facts: encoder.facts().clone(), texts_per_second, languages, passed };
        context.print(&result, result.text())?;
        Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

fn compare_languages(encoder: &Encoder) -> anyhow::Result<Vec<LanguageResult>> {
    let encode = |language: usize| EVENTS.iter().map(move |reports| encoder.encode(reports[language]));
    let english: Vec<Embedding> = encode(0).collect::<Result<_, _>>()?;
    let mut languages = Vec::new();
    for (n, language) in LANGUAGES.into_iter().enumerate().skip(1) {
        let reports: Vec<Embedding> = encode(n).collect::<Result<_, _>>()?;
        let nearest = |report: &Embedding| {
            (0..reports.len()).max_by(|a, b| report.cosine(&reports[*a]).total_cmp(&report.cosine(&reports[*b])))
        };
        let recognized = english.iter().enumerate().filter(|(event, report)| nearest(report) == Some(*event)).count();
        languages.push(LanguageResult { language, recognized, events: EVENTS.len() });
    }
    Ok(languages)
}

impl CheckResult {
    fn text(&self) -> String {
        let EncoderFacts { model, model_bytes, hash, dimensions, tokenizer, vocabulary, prefix } = &self.facts;
        let languages = self.languages.iter().map(|result| {
            let LanguageResult { language, recognized, events } = result;
            format!("{language} {recognized} of {events}")
        });
        let prefix = match prefix.as_str() {
            "" => "none; models of the E5 family need one (docs/encoder.md)".to_owned(),
            prefix => format!("{prefix:?}"),
        };
        let mut text = facts(&[
            ("model", format!("{}, {}", model.display(), byte_size(*model_bytes))),
            ("hash", hash.clone()),
            ("dimensions", dimensions.to_string()),
            ("tokenizer", format!("{tokenizer} with {} tokens", grouped_digits(*vocabulary as u64))),
            ("prefix", prefix),
            ("speed", format!("{:.1} items per second on one core", self.texts_per_second)),
            ("recognized", languages.collect::<Vec<_>>().join(", ")),
        ]);
        if !self.passed {
            text.push_str(
                "\nThe model does not recognize reworded English reports, so its embeddings are not usable. Check that the \
                 tokenizer belongs to the model, and that the model computes sentence embeddings.",
            );
        }
        text
    }
}
