//! Curves for people: what a threshold costs, and how fast an impostor is caught. Both come from the trials alone.

use super::figures::{eer, share_up_to, sorted};
use super::{EvaluateError, Protocol, Report, Trial};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::{
    ChartBuilder, Circle, Color, IntoDrawingArea, LineSeries, PathElement, RGBColor, SVGBackend, SeriesLabelPosition, WHITE,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Pixels of a picture.
const SIZE: (u32, u32) = (760, 600);

/// Colours that people with any colour vision can tell apart on white (Okabe and Ito).
const COLOURS: [RGBColor; 4] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
];

/// Axes and grid.
const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(220, 220, 220);

/// Rates that the DET curve shows; what lies beyond is drawn on the edge.
const RATES: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95];

/// Points of a curve nearer than this, in units of its axes, are one.
const NEAR: f64 = 0.004;

/// Writes a curve into a folder, which is made if it isn't there: `delay.svg` for a sequential protocol, whose scores stop at the
/// alarm and make no trade-off, and `det.svg` for any other.
///
/// # Errors
/// [`EvaluateError::File`] if the folder can't be made or a file can't be written; [`EvaluateError::Data`] if nothing can be
/// drawn.
pub fn plot(folder: &Path, protocol: &Protocol, report: &Report, trials: &[Trial]) -> Result<(), EvaluateError> {
    let fault = |path: &Path, error: std::io::Error| EvaluateError::File {
        path: path.display().to_string(),
        why: error.to_string(),
    };
    fs::create_dir_all(folder).map_err(|error| fault(folder, error))?;
    let of = format!("{protocol}, {} model", report.model);
    let (name, picture) = if protocol.is_sequential() {
        ("delay.svg", delay(&of, trials)?)
    } else {
        ("det.svg", det(&of, trials)?)
    };
    let path = folder.join(name);
    fs::write(&path, picture).map_err(|error| fault(&path, error))
}

/// An axis, in the units of the drawing, with what is written at some places of it.
#[derive(Clone)]
struct Axis {
    name: &'static str,
    from: f64,
    to: f64,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From the first to the last of its ticks.
    fn new(name: &'static str, ticks: Vec<(f64, String)>) -> Self {
        let at = |tick: Option<&(f64, String)>| tick.map_or(0.0, |(at, _)| *at);
        Self {
            name,
            from: at(ticks.first()),
            to: at(ticks.last()),
            ticks,
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (value - self.from) / (self.to - self.from);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.iter().map(|(at, _)| *at).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, place: &f64) -> String {
        let tick = self.ticks.iter().find(|(at, _)| at == place);
        tick.map_or_else(String::new, |(_, label)| label.clone())
    }
}

/// A curve with a name, and a point of it that is marked.
struct Curve {
    name: String,
    points: Vec<(f64, f64)>,
    mark: Option<(f64, f64)>,
}

/// Detection error trade-off (Martin et al., Eurospeech 1997): false rejections over false acceptances of every threshold, both
/// axes by the normal deviate, one curve for impostors and one for each attack.
fn det(of: &str, trials: &[Trial]) -> Result<String, EvaluateError> {
    let mut scores: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for trial in trials {
        scores.entry(trial.label).or_default().push(trial.score);
    }
    let genuine = sorted(&scores.remove("genuine").unwrap_or_default());
    let curves: Vec<Curve> = scores
        .into_iter()
        .map(|(label, others)| {
            let rate = eer(&genuine, &others);
            Curve {
                name: format!("{label}: EER {:.1} %", rate * 100.0),
                points: thinned(trade_off(&genuine, &sorted(&others))),
                mark: Some((deviate(rate), deviate(rate))),
            }
        })
        .collect();
    if genuine.is_empty() || curves.is_empty() {
        return Err(EvaluateError::Data(
            "there are no genuine or no other trials to plot".to_owned(),
        ));
    }
    let axis = |name| Axis::new(name, RATES.iter().map(|rate| (deviate(*rate), percent(*rate))).collect());
    let (far, frr) = (axis("False acceptance rate"), axis("False rejection rate"));
    chart(
        &Frame {
            title: format!("Detection error trade-off: {of}"),
            x: far,
            y: frr,
            legend: SeriesLabelPosition::UpperRight,
        },
        &curves,
    )
}

/// False acceptances and false rejections, as normal deviates, of every threshold.
fn trade_off(genuine: &[f64], others: &[f64]) -> Vec<(f64, f64)> {
    let mut thresholds = sorted(&[genuine, others].concat());
    thresholds.dedup();
    let rates = |threshold: f64| {
        let (far, frr) = (share_up_to(others, threshold), 1.0 - share_up_to(genuine, threshold));
        (deviate(far), deviate(frr))
    };
    thresholds.into_iter().map(rates).collect()
}

/// Share of the impostors' sessions that were caught within so many events.
fn delay(of: &str, trials: &[Trial]) -> Result<String, EvaluateError> {
    let mut sessions: BTreeMap<(&str, u64), f64> = BTreeMap::new();
    let mut most = 1.0f64;
    for trial in trials.iter().filter(|trial| trial.label == "impostor") {
        let caught = sessions.entry((&trial.account, trial.trial)).or_insert(f64::INFINITY);
        if trial.decision != "accept" {
            *caught = caught.min(trial.time.max(1.0));
        }
        most = most.max(trial.time);
    }
    if sessions.is_empty() || !most.is_finite() {
        return Err(EvaluateError::Data("there are no impostors' sessions to plot".to_owned()));
    }
    let delays = sorted(&sessions.into_values().collect::<Vec<_>>());
    let share = |caught: usize| caught as f64 / delays.len() as f64;
    let caught = delays.partition_point(|delay| delay.is_finite());
    let mut points = vec![(0.0, 0.0)];
    for same in delays[..caught].chunk_by(|one, next| one == next) {
        let (at, before) = (same[0], points.last().map_or(0.0, |(_, share)| *share));
        points.extend([
            (at.log10(), before),
            (at.log10(), share(delays.partition_point(|delay| *delay <= at))),
        ]);
    }
    points.push((most.log10(), share(caught)));
    let curve = Curve {
        name: format!("impostor sessions: {} of {} caught", caught, delays.len()),
        points,
        mark: None,
    };
    let events = Axis {
        to: most.log10().max(1.0),
        ..Axis::new("Events since the impostor took over", decades(most))
    };
    let shares = Axis::new(
        "Share caught",
        (0..=10)
            .map(|tenth| tenth as f64 / 10.0)
            .map(|share| (share, percent(share)))
            .collect(),
    );
    chart(
        &Frame {
            title: format!("Detection delay: {of}"),
            x: events,
            y: shares,
            legend: SeriesLabelPosition::LowerRight,
        },
        &[curve],
    )
}

/// 1, 2, 5, 10, ... up to the number, by their logarithms.
fn decades(most: f64) -> Vec<(f64, String)> {
    let numbers = (0..9).flat_map(|decade| [1u64, 2, 5].map(|digit| digit * 10u64.pow(decade)));
    let shown = numbers.take_while(|number| *number as f64 <= most.max(10.0));
    shown.map(|number| ((number as f64).log10(), number.to_string())).collect()
}

/// A share for people: `0.1 %`, `20 %`.
fn percent(share: f64) -> String {
    let tenths = (share * 1000.0).round() / 10.0;
    format!("{tenths} %")
}

/// How many standard deviations above the mean of a normal distribution this share lies below, within what the DET axes show
/// (Abramowitz and Stegun, formula 26.2.23: within 0.0005).
fn deviate(share: f64) -> f64 {
    let share = share.clamp(RATES[0], RATES[RATES.len() - 1]);
    let tail = (-2.0 * share.min(1.0 - share).ln()).sqrt();
    let above = 2.515_517 + tail * (0.802_853 + tail * 0.010_328);
    let below = 1.0 + tail * (1.432_788 + tail * (0.189_269 + tail * 0.001_308));
    let distance = tail - above / below;
    if share < 0.5 { -distance } else { distance }
}

/// Without points that nobody would see: trials are many, and a picture should be small.
fn thinned(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    let last = points.last().copied();
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for point in points {
        let near = |other: &(f64, f64)| (other.0 - point.0).abs() < NEAR && (other.1 - point.1).abs() < NEAR;
        if !kept.last().is_some_and(near) {
            kept.push(point);
        }
    }
    kept.extend(last);
    kept
}

/// What is around the curves of a picture, and where there is room for their names.
struct Frame {
    title: String,
    x: Axis,
    y: Axis,
    legend: SeriesLabelPosition,
}

/// Draws curves on a white ground, so that they can be read wherever the picture is put.
fn chart(frame: &Frame, curves: &[Curve]) -> Result<String, EvaluateError> {
    let mut picture = String::new();
    draw(&mut picture, frame, curves).map_err(|error| EvaluateError::Data(format!("{} can't be drawn: {error}", frame.title)))?;
    Ok(picture)
}

fn draw(picture: &mut String, frame: &Frame, curves: &[Curve]) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(picture, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(&frame.title, ("sans-serif", 20, &INK))
        .margin(16)
        .x_label_area_size(48)
        .y_label_area_size(64)
        .build_cartesian_2d(frame.x.clone(), frame.y.clone())?;
    chart
        .configure_mesh()
        .axis_style(INK)
        .bold_line_style(GRID)
        .label_style(("sans-serif", 13, &INK))
        .axis_desc_style(("sans-serif", 15, &INK))
        .x_desc(frame.x.name)
        .y_desc(frame.y.name)
        .draw()?;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        chart
            .draw_series(LineSeries::new(curve.points.iter().copied(), colour.stroke_width(2)))?
            .label(&curve.name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(curve.mark.iter().map(|mark| Circle::new(*mark, 4, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(frame.legend.clone())
        .background_style(WHITE)
        .border_style(GRID)
        .label_font(("sans-serif", 14, &INK))
        .draw()?;
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(label: &'static str, trial: u64, time: f64, score: f64, decision: &'static str) -> Trial {
        Trial {
            account: "a".to_owned(),
            trial,
            label,
            score,
            decision,
            time,
        }
    }

    #[test]
    fn deviates_are_those_of_the_normal_distribution() {
        for (share, wanted) in [
            (0.5, 0.0),
            (0.001, -3.0902),
            (0.05, -1.6449),
            (0.1587, -0.9998),
            (0.95, 1.6449),
        ] {
            assert!((deviate(share) - wanted).abs() < 5e-4, "{share}: {}", deviate(share));
        }
        assert_eq!(deviate(0.0), deviate(0.001));
    }

    #[test]
    fn the_trade_off_falls_from_all_rejected_to_none() {
        let points = trade_off(&[1.0, 2.0, 3.0, 4.0], &[2.5, 3.5, 4.5, 5.5]);
        let crossing = (deviate(0.25), deviate(0.25));
        assert!(points.contains(&crossing), "{points:?}");
        assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 >= pair[1].1));
    }

    #[test]
    fn a_picture_names_its_axes_and_every_attack() {
        let trials = [
            trial("genuine", 0, 0.0, 0.1, "accept"),
            trial("genuine", 1, 1.0, 0.3, "accept"),
            trial("impostor", 2, 2.0, 0.2, "accept"),
            trial("replay", 3, 3.0, 0.9, "flag"),
        ];
        let picture = det("cmu-attacks, default model", &trials).unwrap();
        for words in [
            "False acceptance rate",
            "False rejection rate",
            "impostor: EER 50.0 %",
            "replay: EER 0.0 %",
            "default model",
        ] {
            assert!(picture.contains(words), "{words}");
        }
        assert!(picture.starts_with("<svg") && picture.contains("#FFFFFF") && picture.trim_end().ends_with("</svg>"));
        assert!(det("", &trials[..2]).is_err(), "nobody to tell the owner from");
        assert!(det("", &[]).is_err());
    }

    #[test]
    fn delays_count_to_the_first_alarm_of_each_session() {
        let trials = [
            trial("impostor", 0, 1.0, 0.0, "accept"),
            trial("impostor", 0, 2.0, 0.0, "step_up"),
            trial("impostor", 0, 3.0, 0.0, "step_up"),
            trial("impostor", 1, 300.0, 0.0, "accept"),
            trial("genuine", 2, 1.0, 0.0, "step_up"),
            trial("genuine_shipped", 2, 1.0, 0.0, "step_up"),
            trial("impostor_shipped", 1, 250.0, 0.0, "step_up"),
        ];
        let picture = delay("ikdd-sequential", &trials).unwrap();
        for words in ["impostor sessions: 1 of 2 caught", "Events since", ">\n200\n<", ">\n50 %\n<"] {
            assert!(picture.contains(words), "{words:?} in {picture}");
        }
        assert!(delay("", &trials[4..]).is_err());
    }
}
