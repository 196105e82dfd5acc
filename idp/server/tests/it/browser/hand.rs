//! A rhythm played in a browser as real input: trusted events, each stamped with the moment at which it was due, as an input
//! device's driver stamps them, so that neither the driver's nor the page's delays change the rhythm.

use super::chrome::Chrome;
use crate::harness::collector::rhythm;
use gait::dev::rhythm::{Rhythm, normals};
use gait_sdk::{Motion, Point};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// No letter is near itself: nobody presses a key that they still hold.
const TEXT: &str = "the quick brown fox jumps over lazy dogs ";
/// Milliseconds from a click to the next stroke, and for which a pointer that didn't click rests.
const AFTER_CLICK_MS: f64 = 400.0;
const REST_MS: f64 = 2200.0;
/// Where strokes stay, in CSS pixels: within the page.
const LOW: f64 = 20.0;
const HIGH: (f64, f64) = (960.0, 700.0);

/// What was played, in the order in which a collector measures it.
#[derive(Debug, Default)]
pub struct Played {
    pub keys: usize,
    /// Strokes, with or without a click.
    pub actions: usize,
    pub hold_ms: Vec<f64>,
    pub digraph_ms: Vec<f64>,
    pub dwell_ms: Vec<f64>,
}

/// Somebody's hand on keyboard and mouse.
pub struct Hand<'a> {
    chrome: &'a Chrome,
    rhythm: Rhythm,
    normal: Box<dyn FnMut() -> f64>,
    /// Holds, each with the digraph after it.
    keys: VecDeque<(f64, f64)>,
    strokes: VecDeque<Vec<Point>>,
    /// Milliseconds since the epoch at which the next thing is due.
    due: f64,
    at: (f64, f64),
    letters: std::iter::Cycle<std::str::Chars<'static>>,
    pub played: Played,
}

fn now_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0
}

/// Makes the notebook's text as large as the page, so that a click anywhere is one into the text.
pub async fn open_note(chrome: &Chrome) {
    chrome.find("#note").await;
    let script = "const note = document.getElementById('note');
        Object.assign(note.style, { position: 'fixed', inset: '0', width: '100%', height: '100%', zIndex: '9' });
        note.focus();";
    chrome.ask(script).await;
}

impl<'a> Hand<'a> {
    /// The hand of somebody of `rhythms.json`.
    pub fn of(chrome: &'a Chrome, name: &str, seed: u64) -> Self {
        Self {
            chrome,
            rhythm: rhythm(name),
            normal: Box::new(normals(seed)),
            keys: VecDeque::new(),
            strokes: VecDeque::new(),
            due: 0.0,
            at: (480.0, 360.0),
            letters: TEXT.chars().cycle(),
            played: Played::default(),
        }
    }

    /// Types so many keys.
    pub async fn types(&mut self, keys: usize) {
        self.begin();
        let mut events = Vec::new();
        let mut held = Vec::new();
        for i in 0..keys {
            let (hold, digraph) = self.next_key();
            let letter = self.letters.next().expect("a cycle");
            events.push((self.due, key_event("keyDown", letter)));
            events.push((self.due + hold, key_event("keyUp", letter)));
            held.push((self.due + hold, hold));
            self.due += digraph;
            if i + 1 < keys {
                self.played.digraph_ms.push(digraph);
            }
        }
        events.sort_by(|a, b| a.0.total_cmp(&b.0));
        held.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.played.hold_ms.extend(held.iter().map(|(_, hold)| hold));
        self.played.keys += keys;
        for (due, event) in events {
            self.send(due, event).await;
        }
    }

    /// Moves the pointer in so many strokes, clicking after those that the rhythm clicks after.
    pub async fn points(&mut self, strokes: usize) {
        for _ in 0..strokes {
            self.begin();
            let stroke = self.next_stroke();
            let turn = self.turn_that_stays(&stroke);
            // Where the pointer already is, there is no event to be had of its first point.
            for point in &stroke[1..] {
                self.due += f64::from(point.dt_ms);
                let (dx, dy) = turned(point, turn);
                self.at = (self.at.0 + dx, self.at.1 + dy);
                let (kind, button) = match point.what {
                    Motion::Move | Motion::Drag => ("mouseMoved", "none"),
                    Motion::Down => ("mousePressed", "left"),
                    Motion::Up => ("mouseReleased", "left"),
                };
                let clicks = i32::from(button == "left");
                let params = json!({ "type": kind, "button": button, "buttons": i32::from(point.what == Motion::Down),
                    "clickCount": clicks, "x": self.at.0.round(), "y": self.at.1.round() });
                self.send(self.due, ("Input.dispatchMouseEvent", params)).await;
            }
            let last = stroke.last().expect("a point");
            let clicked = last.what == Motion::Up;
            if clicked {
                self.played.dwell_ms.push(f64::from(last.dt_ms));
            }
            self.due += if clicked { AFTER_CLICK_MS } else { REST_MS };
            self.played.actions += 1;
        }
    }

    /// Does nothing for so long.
    pub fn rests(&mut self, ms: f64) {
        self.due += ms;
    }

    /// Types and points in turn until the page has `css`, or for `limit`; true if it has.
    pub async fn works_until(&mut self, css: &str, limit: Duration) -> bool {
        let end = now_ms() + limit.as_secs_f64() * 1000.0;
        while now_ms() < end {
            for _ in 0..3 {
                self.types(8).await;
                if self.chrome.has(css).await {
                    return true;
                }
            }
            for _ in 0..2 {
                self.points(1).await;
                if self.chrome.has(css).await {
                    return true;
                }
            }
        }
        false
    }

    fn begin(&mut self) {
        self.due = self.due.max(now_ms() + 5.0);
    }

    fn draw(&mut self) {
        let sample = self.rhythm.sample(&mut self.normal);
        self.keys.extend(sample.metrics.hold_ms.into_iter().zip(sample.digraph_ms));
        for point in sample.path {
            if point.dt_ms == 0.0 {
                self.strokes.push_back(Vec::new());
            }
            self.strokes.back_mut().expect("a path begins with a stroke").push(point);
        }
    }

    fn next_key(&mut self) -> (f64, f64) {
        loop {
            match self.keys.pop_front() {
                Some(key) => return key,
                None => self.draw(),
            }
        }
    }

    fn next_stroke(&mut self) -> Vec<Point> {
        loop {
            match self.strokes.pop_front() {
                Some(stroke) => return stroke,
                None => self.draw(),
            }
        }
    }

    /// The angle by which the stroke must be turned to stay within the page; a hand doesn't leave its desk.
    fn turn_that_stays(&self, stroke: &[Point]) -> f64 {
        let stays = |turn: f64| {
            let mut at = self.at;
            stroke.iter().all(|point| {
                let (dx, dy) = turned(point, turn);
                at = (at.0 + dx, at.1 + dy);
                (LOW..=HIGH.0).contains(&at.0) && (LOW..=HIGH.1).contains(&at.1)
            })
        };
        let turns = (0..90).map(|step| f64::from(step) * std::f64::consts::TAU / 90.0);
        let mut turns = turns.filter(|&turn| stays(turn));
        turns.next().expect("no stroke is longer than the page")
    }

    /// Waits until something is due, and sends it with that time.
    async fn send(&self, due: f64, (command, mut params): (&str, Value)) {
        let wait = due - now_ms();
        if wait > 0.0 {
            tokio::time::sleep(Duration::from_secs_f64(wait / 1000.0)).await;
        }
        params["timestamp"] = json!(due / 1000.0);
        self.chrome.cdp(&json!({ "cmd": command, "params": params })).await;
    }
}

fn turned(point: &Point, turn: f64) -> (f64, f64) {
    let (dx, dy) = (f64::from(point.dx), f64::from(point.dy));
    (dx * turn.cos() - dy * turn.sin(), dx * turn.sin() + dy * turn.cos())
}

fn key_event(kind: &str, letter: char) -> (&'static str, Value) {
    let upper = letter.to_ascii_uppercase();
    let code = match letter {
        ' ' => "Space".to_owned(),
        _ => format!("Key{upper}"),
    };
    let mut params = json!({ "type": kind, "key": letter, "code": code, "windowsVirtualKeyCode": u32::from(upper) });
    if kind == "keyDown" {
        params["text"] = json!(letter);
    }
    ("Input.dispatchKeyEvent", params)
}
