//! Invented mail with the size mix of real stores: short texts, HTML of tens of KB, some RTF, attachments on a few messages, threads,
//! several languages, dates over years. A function of the seed alone.
use std::collections::VecDeque;

use super::format::Prng;
use super::message::{Attachment, Message, filetime};
use super::plan::{Folders, Nid};
use super::tags;
use super::value::Payload;

/// What to invent.
#[derive(Clone, Debug)]
pub struct Mailbox {
    pub seed: u64,
    pub messages: u64,
    pub folders: u64,
    /// Size to aim for; bodies and attachments are scaled to it.
    pub bytes: Option<u64>,
}

/// A language: code page of its 8-bit strings, and its words.
struct Language {
    code_page: i32,
    words: &'static str,
}

const LANGUAGES: &[Language] = &[
    Language {
        code_page: 1252,
        words: "the report for last quarter is ready please find attached our answer to your question about delivery \
                dates and prices we would like to meet on Thursday morning if that suits you best the team has \
                finished testing and sends its regards budget contract invoice schedule meeting customer review",
    },
    Language {
        code_page: 1252,
        words: "das Protokoll der Besprechung liegt bei bitte prüfen Sie die Änderungen bis Freitag und geben Sie mir \
                Bescheid ob die Größe der Stückzahl stimmt vielen Dank für Ihre Rückmeldung mit freundlichen Grüßen \
                Rechnung Vertrag Angebot Termin Straße Lösung",
    },
    Language {
        code_page: 1252,
        words: "veuillez trouver ci-joint le compte rendu de la réunion dès que possible nous vous remercions de votre \
                réponse à propos du marché été garçon forêt déjà français février août naïve œuvre cordialement",
    },
    Language {
        code_page: 1252,
        words: "adjunto encontrará el informe del año pasado mañana por la tarde señor niño después también gracias por \
                su atención quedamos a la espera de su respuesta camión canción última razón",
    },
    Language {
        code_page: 1251,
        words: "добрый день прошу рассмотреть приложенный договор до пятницы спасибо за ответ встреча переносится на \
                следующую неделю отчёт за квартал готов с уважением счёт заказ проект вопрос",
    },
    Language {
        code_page: 932,
        words: "お世話になっております 資料を 添付しました ご確認 ください 会議は 来週の 月曜日 です よろしく \
                お願いします 請求書 見積書 東京 株式会社 予定 変更",
    },
    Language {
        code_page: 936,
        words: "您好 请查收 附件 会议 时间 改为 下周一 谢谢 报告 已经 完成 合同 发票 北京 公司 项目 计划",
    },
];

/// Share of the languages in 100 messages.
const SHARES: &[u64] = &[60, 12, 7, 6, 6, 5, 4];

const GIVEN: &[&str] = &[
    "Ann",
    "Bob",
    "Carla",
    "Dmitri",
    "Eva",
    "François",
    "Günther",
    "Hana",
    "Igor",
    "Julia",
    "Kenji",
    "Lena",
    "María",
    "Noah",
    "Olga",
    "Pedro",
];
const SURNAMES: &[&str] = &[
    "Adams", "Müller", "Ivanova", "Tanaka", "García", "Dubois", "Smith", "O'Neil", "Schmidt", "Li",
];
const FILES: &[(&str, &str)] = &[
    ("report.pdf", "application/pdf"),
    ("photo.jpg", "image/jpeg"),
    (
        "figures.xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    (
        "minutes.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("archive.zip", "application/zip"),
    (
        "Übersicht März.pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
];

/// A person by number.
pub fn person(number: u64) -> (String, String) {
    let given = GIVEN[(number % GIVEN.len() as u64) as usize];
    let surname = SURNAMES[(number / 3 % SURNAMES.len() as u64) as usize];
    (
        format!("{given} {surname}"),
        format!("user{number}@mail{}.example", number % 7),
    )
}

/// Mean bytes of bodies and attachments of a message at scale 1, and of the rest, as measured on the generator's own files.
const NATURAL_MEAN: f64 = 119_000.0;
const FIXED: f64 = 3_400.0;
const FIRST_YEAR: i64 = 2009;
const YEARS: u64 = 15;
/// 100 ns units in a second.
const SECOND: u64 = 10_000_000;

/// A message that later ones may answer.
#[derive(Clone)]
struct Thread {
    id: String,
    references: String,
    topic: String,
    language: usize,
}

/// The messages of a mailbox in order of time, each with the number of its folder.
pub struct Mails {
    mailbox: Mailbox,
    rng: Prng,
    pools: Vec<Vec<&'static str>>,
    recent: VecDeque<Thread>,
    done: u64,
    scale: f64,
}

impl Mailbox {
    pub fn new(messages: u64) -> Mailbox {
        Mailbox {
            seed: 1,
            messages,
            folders: 8,
            bytes: None,
        }
    }

    pub fn mails(&self) -> Mails {
        let mean = self.bytes.map(|b| b as f64 / self.messages.max(1) as f64);
        Mails {
            mailbox: self.clone(),
            rng: Prng(self.seed),
            pools: LANGUAGES
                .iter()
                .map(|l| l.words.split_whitespace().collect())
                .collect(),
            recent: VecDeque::new(),
            done: 0,
            scale: mean.map_or(1.0, |mean| ((mean - FIXED) / NATURAL_MEAN).max(1e-4)),
        }
    }

    /// Makes the folders: Inbox, Sent Items, and projects three levels deep.
    pub fn make_folders(&self, store: &mut impl Folders) -> Vec<Nid> {
        let top = store.ipm_subtree();
        let mut out = vec![store.folder(top, "Inbox")];
        if self.folders > 1 {
            out.push(store.folder(top, "Sent Items"));
        }
        for i in 2..self.folders {
            let parent = match i % 3 {
                0 => top,
                1 => out[0],
                _ => out[(i - 1) as usize],
            };
            out.push(store.folder(parent, format!("Project {i:04}")));
        }
        out
    }
}

impl Mails {
    fn text(&mut self, language: usize, length: usize, line: &str) -> String {
        let words = &self.pools[language];
        let mut out = String::with_capacity(length + 32);
        let mut column = 0;
        while out.len() < length {
            // One random number gives four words.
            let mut bits = self.rng.next();
            for _ in 0..4 {
                let word = words[(bits & 0xFFFF) as usize % words.len()];
                bits >>= 16;
                out.push_str(word);
                column += word.len() + 1;
                if column > 72 {
                    out.push_str(line);
                    column = 0;
                } else {
                    out.push(' ');
                }
            }
        }
        out
    }

    /// A size between `low` and `high`, small ones as likely as large ones on a logarithmic scale.
    fn size(&mut self, low: u64, high: u64) -> u64 {
        let unit = self.rng.below(1 << 32) as f64 / (1u64 << 32) as f64;
        let log = (low as f64).ln() + unit * ((high as f64).ln() - (low as f64).ln());
        (log.exp() * self.scale).max(100.0) as u64
    }

    fn language(&mut self) -> usize {
        let mut n = self.rng.below(100);
        for (i, &share) in SHARES.iter().enumerate() {
            if n < share {
                return i;
            }
            n -= share;
        }
        0
    }

    fn body(&mut self, message: Message, language: usize, kind: u64) -> Message {
        match kind {
            0..35 => {
                let length = self.size(200, 4_000) as usize;
                let text = self.text(language, length, "\r\n");
                message.body(&text)
            }
            35..90 => {
                let length = self.size(8_000, 60_000) as usize;
                let text = self.text(language, length, "</p>\r\n<p class=\"MsoNormal\">");
                let html = format!(
                    "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n\
                     </head><body><p>{text}</p></body></html>"
                );
                message.html(&html)
            }
            _ => {
                let length = self.size(1_000, 12_000) as usize;
                let text = self.text(0, length, "\\par\r\n");
                message.rtf(&format!("{{\\rtf1\\ansi\\ansicpg1252\\deff0 {text}}}"))
            }
        }
    }

    fn attachments(&mut self, mut message: Message) -> Message {
        for _ in 0..self.rng.range(1, 3) {
            let size = self.size(10_000, 5_000_000);
            let &(name, mime) = self.rng.pick(FILES);
            let data = Payload::random(size, self.rng.next());
            message = message.attach(Attachment::data(name, data).mime(mime));
        }
        message
    }

    fn one(&mut self) -> (usize, Message) {
        let number = self.done;
        let rng = &mut self.rng;
        let folder = rng.below(self.mailbox.folders) as usize;
        let answers = rng.percent(40) && !self.recent.is_empty();
        let language = self.language();
        let earlier = answers.then(|| self.rng.pick(self.recent.make_contiguous()).clone());
        let language = earlier.as_ref().map_or(language, |t| t.language);
        let topic = match &earlier {
            Some(thread) => thread.topic.clone(),
            None => {
                let length = self.rng.range(10, 60) as usize;
                let text = self.text(language, length, " ");
                format!("{} [{number:06}]", text.trim())
            }
        };
        let subject = if answers {
            format!("RE: {topic}")
        } else {
            topic.clone()
        };
        let people = 400;
        let (from, to) = (self.rng.below(people), self.rng.below(people));
        let (from_name, from_address) = person(from);
        let (to_name, to_address) = person(to);
        let id = format!(
            "<{:016x}.{number}@mail{}.example>",
            self.rng.next(),
            from % 7
        );
        let start = filetime(FIRST_YEAR, 1, 1, 0, 0);
        let span = YEARS * 365 * 86_400;
        let step = span / self.mailbox.messages.max(1);
        let jitter = self.rng.below(step.max(2));
        let time = start + (span * number / self.mailbox.messages.max(1) + jitter) * SECOND;
        let mut message = Message::mail(&subject)
            .time(time)
            .prop(tags::MESSAGE_CODEPAGE, LANGUAGES[language].code_page)
            .from(&from_name, &from_address)
            .to(&to_name, &to_address)
            .message_id(&id);
        for _ in 0..self.rng.below(3) {
            let (name, address) = person(self.rng.below(people));
            message = message.cc(&name, &address);
        }
        let mut references = String::new();
        if let Some(thread) = &earlier {
            references = format!("{} {}", thread.references, thread.id)
                .trim()
                .to_string();
            message = message
                .in_reply_to(&thread.id)
                .prop(tags::INTERNET_REFERENCES, references.as_str());
        }
        if self.rng.percent(60) {
            message = message.headers(&format!(
                "Received: from mail{}.example (192.0.2.{}) by mx.example with ESMTPS;\r\n \
                 id {number}\r\nMessage-ID: {id}\r\nMIME-Version: 1.0\r\nX-Mailer: Invented 1.0\r\n\r\n",
                from % 7,
                from % 250
            ));
        }
        if self.rng.percent(20) {
            message = message.unread();
        }
        let kind = self.rng.below(100);
        message = self.body(message, language, kind);
        if self.rng.percent(8) {
            message = self.attachments(message);
        }
        self.recent.push_back(Thread {
            id,
            references: references.chars().take(600).collect(),
            topic,
            language,
        });
        if self.recent.len() > 64 {
            self.recent.pop_front();
        }
        (folder, message)
    }
}

impl Iterator for Mails {
    type Item = (usize, Message);

    fn next(&mut self) -> Option<(usize, Message)> {
        if self.done == self.mailbox.messages {
            return None;
        }
        let next = self.one();
        self.done += 1;
        Some(next)
    }
}
