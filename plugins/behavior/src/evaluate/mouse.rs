//! The raw events of a mouse, and what the collector would make of them.

use crate::pointer::{LONGEST};
use gait_sdk::{Motion, Point};

/// Coordinates above are glitches of the recorder.
const GLITCH: f64 = 60_000.0;

/// Shortest time between two points of a movement that the collector keeps, in milliseconds.
const THINNED_MS: f64 = 8.0;

/// The code of the scroll wheel among the buttons.
const WHEEL: u8 = 3;

/// A raw event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) t_ms: f64,
    pub(super) button: u8,
    pub(super) state: u8,
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Event {
    /// What it was; `None` for the wheel and for glitches.
    fn motion(&self) -> Option<Motion> {
        if self.button == WHEEL || self.x > GLITCH || self.y > GLITCH {
            return None;
        }
        match self.state {
            0 => Some(Motion::Move),
            1 => Some(Motion::Down),
            2 => Some(Motion::Up),
            3 => Some(Motion::Drag),
            _ => None,
        }
    }
}

/// The path of a session as the collector sends it: relative, thinned, in finished strokes.
pub(super) fn path(events: &[Event]) -> Vec<Point> {
    let mut path = Vec::new();
    let mut last: Option<Event> = None;
    let mut length = 0;
    for event in events {
        let Some(what) = event.motion() else { continue };
        let Some(before) = last else {
            path.push(first(what));
            (last, length) = (Some(*event), 1);
            continue;
        };
        let dt = event.t_ms - before.t_ms;
        if length == 0 || dt > f64::from(*crate::pointer::REST) || length >= LONGEST {
            path.push(first(what));
            length = 1;
        } else {
            let moves = matches!(what, Motion::Move | Motion::Drag);
            let still = event.x == before.x && event.y == before.y;
            if moves && (dt < THINNED_MS || still && dt <= 0.0) && before.state == event.state {
                continue;
            }
            path.push(Point {
                dt_ms: dt.max(1.0) as f32,
                dx: (event.x - before.x) as f32,
                dy: (event.y - before.y) as f32,
                what,
            });
            length += 1;
        }
        last = Some(*event);
        if what == Motion::Up {
            length = 0;
        }
    }
    path
}

fn first(what: Motion) -> Point {
    Point { dt_ms: 0.0, dx: 0.0, dy: 0.0, what }
}
