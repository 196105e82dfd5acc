// The pointer's path as strokes: steps in time and place from each point to the next, so that no place on the page can be
// read from it. Only a stroke that is over counts, so that none is ever judged by a half.

/** What the pointer does at a point, as the server reads it. */
export const MOVE = 0;
export const DOWN = 1;
export const DRAG = 2;
export const UP = 3;

/** A pointer that rests this long, in milliseconds, has ended its stroke. */
export const REST_MS = 2000;
/** Points after which a stroke ends. */
export const STROKE_LIMIT = 400;
const STROKE_LEAST = 4; // fewer points have no manner
const THIN_MS = 8; // pointers report up to 1000 times a second
const PATH_LIMIT = 1500;
const STEP_MAX_PX = 20_000;

const tenth = (value) => Math.round(value * 10) / 10;

/** Collects the strokes of one pointer at a time, from times in milliseconds and positions in CSS pixels. */
export class Strokes {
  #open = null;
  #done = [];
  #points = 0;

  /** A point of the path. Returns the kind of pointer of a stroke that has ended with it or before it, else `null`. */
  add(t, x, y, kind, what) {
    t = tenth(t);
    x = tenth(x);
    y = tenth(y);
    const over = this.#endsBefore(t, kind) ? this.#close() : null;
    if (this.#open === null) {
      if (what !== UP) this.#open = { kind, t, x, y, points: [[0, 0, 0, what]] };
      return over;
    }
    this.#extend(t, x, y, what);
    return this.#isFull(what) ? this.#close() : over;
  }
  #endsBefore(t, kind) {
    const open = this.#open;
    if (open === null) return false;
    // Another pointer, or a clock that was set back: what there is of the stroke stays a half.
    if (open.kind !== kind || open.t - t > REST_MS) {
      this.drop();
      return false;
    }
    return t - open.t > REST_MS;
  }
  #extend(t, x, y, what) {
    const open = this.#open;
    const [dt, dx, dy] = [tenth(t - open.t), tenth(x - open.x), tenth(y - open.y)];
    const stays = dx === 0 && dy === 0;
    if (dt < 0) return;
    if ((what === MOVE || what === DRAG) && (dt < THIN_MS || stays)) return;
    if (Math.abs(dx) > STEP_MAX_PX || Math.abs(dy) > STEP_MAX_PX) return void this.drop();
    if (dt === 0 && stays && what === DOWN) open.points.at(-1)[3] = DOWN;
    else open.points.push([dt, dx, dy, what]);
    Object.assign(open, { t, x, y });
  }
  #isFull(what) {
    return this.#open !== null && (what === UP || this.#open.points.length >= STROKE_LIMIT);
  }
  #close() {
    const { kind, points } = this.#open;
    this.#open = null;
    if (points.length < STROKE_LEAST) return null;
    this.#done.push({ kind, points });
    this.#points += points.length;
    while (this.#points > PATH_LIMIT) this.#points -= this.#done.shift().points.length;
    return kind;
  }

  /** Forgets the stroke that isn't over: its end is not to be seen. */
  drop() {
    this.#open = null;
  }
  clear() {
    this.drop();
    this.#done = [];
    this.#points = 0;
  }
  /** Ends the stroke of a pointer that has come to rest by `now`; returns as `add` does. */
  rest(now) {
    return this.#open !== null && now - this.#open.t > REST_MS ? this.#close() : null;
  }
  /** The strokes that are over, oldest first, as lists of `[dt_ms, dx, dy, what]`: those of one kind of pointer, the others
   * are forgotten. */
  take(kind) {
    const strokes = this.#done.filter((stroke) => stroke.kind === kind).map((stroke) => stroke.points);
    this.#done = [];
    this.#points = 0;
    return strokes;
  }
}
