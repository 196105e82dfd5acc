//! From points to actions: one movement with its click or drag.

use gait_sdk::{Motion, Point};

/// A rest that ends an action, in milliseconds. The collector ends a stroke at it as well.
pub const REST_MS: f32 = 2_000.0;

/// Points after which an action ends. The collector ends a stroke at it as well.
pub const LONGEST: usize = 400;

/// Shortest time between two points, in milliseconds: what the clock can't tell apart is taken to be this far apart.
const TICK_MS: f32 = 1.0;

/// Largest step in one direction between two points, in CSS pixels: several screens.
const LARGEST_STEP: f32 = 20_000.0;

/// Fewest points of an action; speed, acceleration and jerk need as many.
const SHORTEST: usize = 4;

/// What a person did with the pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Moved it, and rested.
    Move,
    /// Moved it to a place, and clicked there.
    PointClick,
    /// Moved it with a button held.
    Drag,
}

/// One movement: at least four points, of which only differences in time and place are known.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    kind: Kind,
    points: Vec<Point>,
}

impl Action {
    /// What it was.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its points; the first one's differences are zero, those of the others are finite and bounded.
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }
}

/// Splits finished strokes into actions: after a button was let go, where a drag becomes a move, at a rest longer than
/// [`REST_MS`], at [`LONGEST`] points, and where a stroke begins: at a point without time or way that lets no button go. What has
/// fewer than four points is no action, and neither is what holds a number that no pointer can have produced.
pub fn actions(points: &[Point]) -> Vec<Action> {
    let mut found = Vec::new();
    let mut open = Open::default();
    for point in points {
        let begins = point.dt_ms == 0.0 && point.dx == 0.0 && point.dy == 0.0 && point.what != Motion::Up;
        let drag_is_over = open.dragged && point.what == Motion::Move;
        if begins || drag_is_over || point.dt_ms > REST_MS {
            open.close(&mut found);
        }
        open.push(point);
        if point.what == Motion::Up || open.points.len() >= LONGEST {
            open.close(&mut found);
        }
    }
    open.close(&mut found);
    found
}

/// The action that is being read.
#[derive(Default)]
struct Open {
    points: Vec<Point>,
    dragged: bool,
    released: bool,
    broken: bool,
}

impl Open {
    fn push(&mut self, point: &Point) {
        let sane = [point.dx, point.dy].iter().all(|step| step.abs() <= LARGEST_STEP) && point.dt_ms >= 0.0;
        if !sane {
            self.broken = true;
            return;
        }
        self.dragged |= point.what == Motion::Drag;
        self.released |= point.what == Motion::Up;
        let first = self.points.is_empty();
        let step = |value: f32| if first { 0.0 } else { value };
        self.points.push(Point {
            dt_ms: step(point.dt_ms.max(TICK_MS)),
            dx: step(point.dx),
            dy: step(point.dy),
            what: point.what,
        });
    }

    fn close(&mut self, found: &mut Vec<Action>) {
        let open = std::mem::take(self);
        if open.points.len() < SHORTEST || open.broken {
            return;
        }
        let kind = match (open.dragged, open.released) {
            (true, _) => Kind::Drag,
            (false, true) => Kind::PointClick,
            (false, false) => Kind::Move,
        };
        found.push(Action {
            kind,
            points: open.points,
        });
    }
}
