//! What Prometheus reads, read as strictly as OpenMetrics 1.0 says it is written.

use super::provider::client;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The labels of a series.
pub type Labels = BTreeMap<String, String>;

/// A family: its type, its unit, and its samples by full name and labels.
#[derive(Debug, Default)]
struct Family {
    kind: String,
    samples: BTreeMap<(String, Labels), f64>,
}

/// One answer of `/metrics`.
#[derive(Debug)]
pub struct Scrape {
    families: BTreeMap<String, Family>,
    pub text: String,
}

/// Where a story's provider is scraped.
pub struct Scraper {
    url: String,
}

impl Scraper {
    /// A free port, and the part of a configuration that has it listened on.
    pub fn free() -> (Self, String) {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let url = format!("http://{address}/metrics");
        (Self { url }, format!("[metrics]\nlisten = \"{address}\"\n"))
    }

    /// What is counted now.
    pub async fn scrape(&self) -> Scrape {
        let http = client();
        for _ in 0..100 {
            // The port opens a moment after the provider is there.
            let Ok(answer) = http.get(&self.url).send().await else {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            };
            assert_eq!(answer.status().as_u16(), 200);
            let content_type = answer.headers()["content-type"].to_str().expect("text").to_owned();
            assert_eq!(content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
            return Scrape::parse(answer.text().await.expect("text"));
        }
        panic!("nobody answers at {}", self.url);
    }

    /// Scrapes until it `is` as wanted.
    pub async fn wait(&self, is: impl Fn(&Scrape) -> bool) -> Scrape {
        for _ in 0..300 {
            let scrape = self.scrape().await;
            if is(&scrape) {
                return scrape;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not come: {}", self.scrape().await.text);
    }
}

impl Scrape {
    fn parse(text: String) -> Self {
        let body = text.strip_suffix("# EOF\n").expect("the end is marked");
        let mut families: BTreeMap<String, Family> = BTreeMap::new();
        let mut now = String::new();
        for line in body.lines() {
            assert!(!line.is_empty(), "no empty lines");
            match line.strip_prefix("# ") {
                Some(said) => describe(&mut families, &mut now, said),
                None => {
                    let (name, labels, value) = sample(line);
                    let family = families.get_mut(&now).expect("a family before its samples");
                    assert!(
                        suffixes(&family.kind).iter().any(|suffix| format!("{now}{suffix}") == name),
                        "{name} in {now} ({})",
                        family.kind
                    );
                    assert!(family.samples.insert((name, labels), value).is_none(), "twice: {line}");
                }
            }
        }
        for (name, family) in &families {
            check_histograms(name, family);
        }
        Self { families, text }
    }

    /// The sum of all samples of this name whose labels hold these; `None` if there are none.
    pub fn get(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let all = self.families.values().flat_map(|family| &family.samples);
        let meant = all.filter(|((sample, held), _)| {
            sample == name && labels.iter().all(|(key, value)| held.get(*key).is_some_and(|is| is == value))
        });
        let values: Vec<f64> = meant.map(|(_, value)| *value).collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// The same, 0 if there are none.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.get(name, labels).unwrap_or(0.0)
    }

    /// Every label that is used, with every value.
    pub fn labels(&self) -> BTreeSet<(String, String)> {
        let all = self.families.values().flat_map(|family| family.samples.keys());
        all.flat_map(|(_, labels)| labels.clone()).collect()
    }

    /// How many series there are.
    pub fn series(&self) -> usize {
        self.families.values().map(|family| family.samples.len()).sum()
    }
}

fn describe(families: &mut BTreeMap<String, Family>, now: &mut String, said: &str) {
    let mut words = said.splitn(3, ' ');
    let mut next = || words.next().expect("three words");
    let (what, name, rest) = (next(), next(), next());
    assert!(is_name(name), "{name}");
    if name != now {
        assert!(!families.contains_key(name), "{name} is in one piece");
        *now = name.to_owned();
        families.insert(name.to_owned(), Family::default());
    }
    match what {
        "HELP" => assert!(!rest.is_empty()),
        "TYPE" => {
            assert!(["counter", "gauge", "histogram", "info"].contains(&rest), "{rest}");
            families.get_mut(name).expect("the family").kind = rest.to_owned();
        }
        "UNIT" => assert!(name.ends_with(&format!("_{rest}")), "{name} ends with its unit {rest}"),
        other => panic!("{other} is no metadata"),
    }
}

fn suffixes(kind: &str) -> &'static [&'static str] {
    match kind {
        "counter" => &["_total"],
        "gauge" => &[""],
        "histogram" => &["_bucket", "_count", "_sum"],
        "info" => &["_info"],
        other => panic!("a type before the samples, not {other:?}"),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':')
}

/// `name{label="value",…} number`.
fn sample(line: &str) -> (String, Labels, f64) {
    let (series, value) = line.rsplit_once(' ').expect("a value");
    let value: f64 = value.parse().expect("a number");
    let Some((name, inside)) = series.split_once('{') else {
        assert!(is_name(series), "{line}");
        return (series.to_owned(), Labels::new(), value);
    };
    assert!(is_name(name), "{line}");
    let mut rest = inside.strip_suffix('}').expect("a closing brace");
    let mut labels = Labels::new();
    while !rest.is_empty() {
        let (label, after) = rest.split_once("=\"").expect("a label");
        assert!(is_name(label), "{line}");
        let end = closing_quote(after).unwrap_or_else(|| panic!("an open quote: {line}"));
        assert!(labels.insert(label.to_owned(), after[..end].to_owned()).is_none(), "{line}");
        rest = &after[end + 1..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    (name.to_owned(), labels, value)
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

/// Buckets grow, and the last one, `+Inf`, is the count.
fn check_histograms(name: &str, family: &Family) {
    let mut buckets: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    for ((sample, labels), value) in &family.samples {
        if *sample == format!("{name}_bucket") {
            let mut labels = labels.clone();
            let bound = labels.remove("le").expect("le");
            let bound = bound.replace("+Inf", "inf").parse().expect("a bound");
            buckets.entry(labels).or_default().push((bound, *value));
        }
    }
    for (labels, mut buckets) in buckets {
        buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{name}: {buckets:?}");
        let count = family.samples[&(format!("{name}_count"), labels.clone())];
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, count)), "{name}");
        assert!(family.samples.contains_key(&(format!("{name}_sum"), labels)));
    }
}
