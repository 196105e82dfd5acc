// Makes batches of a made-up person's rhythm from the parameters in rhythms.json.

const [MOVE, DOWN, UP] = [0, 1, 3];

/** A standard normal number (Box and Muller). */
function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const tenth = (value) => Math.round(value * 10) / 10;

/** The lists of a batch. Each metric has n values, each max(min, mean + batch_sd * z_batch + sd * z_i): people are a little
 * different every time, and within each time. */
function metricsOf(rhythm, random) {
  const metrics = {};
  for (const [name, { n, mean, sd, batch_sd, min }] of Object.entries(rhythm)) {
    const centre = mean + batch_sd * normal(random);
    const most = name === "cursor_variation" ? Math.PI : Infinity;
    const value = () => Math.min(most, Math.max(min, centre + sd * normal(random)));
    metrics[name] = Array.from({ length: n }, () => Math.floor(value() * 1000) / 1000);
  }
  return metrics;
}

/** One movement of the pointer as points `[dt_ms, dx, dy, what]`, each relative to the one before. */
function strokeOf(manner, random) {
  const spread = (middle, sd) => middle * Math.exp(sd * normal(random));
  const distance = spread(manner.distance_px, manner.distance_sd);
  const lasts = distance / spread(manner.speed, manner.speed_sd);
  const [angle, bow] = [2 * Math.PI * random(), distance * (manner.bow + manner.bow_sd * normal(random))];
  const warp = Math.log(0.5) / Math.log(manner.peak);
  const points = [[0, 0, 0, MOVE]];
  let [t, x, y, last] = [0, 0, 0, 0];
  while (t < lasts) {
    t += tenth(manner.step_ms + 0.4 * Math.abs(normal(random)));
    const u = Math.min(t / lasts, 1) ** warp;
    const share = u ** 3 * (10 - 15 * u + 6 * u ** 2); // the least jerk
    const [along, aside] = [distance * share, bow * Math.sin(Math.PI * share)];
    const tremble = () => manner.jitter_px * normal(random);
    const toX = Math.round(along * Math.cos(angle) - aside * Math.sin(angle) + tremble());
    const toY = Math.round(along * Math.sin(angle) + aside * Math.cos(angle) + tremble());
    if (toX === x && toY === y) continue; // a pointer that stands still says nothing
    points.push([tenth(t - last), toX - x, toY - y, MOVE]);
    [x, y, last] = [toX, toY, t];
  }
  return points;
}

/** The strokes of a batch, of which the first ones end with a click. */
function pathOf(manner, dwell_ms, random) {
  return Array.from({ length: manner.strokes }, (_, i) => {
    const stroke = strokeOf(manner, random);
    if (i >= manner.clicks || dwell_ms[i] === undefined) return stroke;
    const pause = manner.pause_ms * Math.exp(manner.pause_sd * normal(random));
    return [...stroke, [tenth(pause), 0, 0, DOWN], [tenth(dwell_ms[i]), 0, 0, UP]];
  }).flat();
}

/** One batch, in the shape that Gait's collector sends. */
export function batchOf(rhythm, manner, random = Math.random) {
  const metrics = metricsOf(rhythm, random);
  const { hold_ms, flight_ms, dwell_ms } = metrics;
  const digraph_ms = flight_ms.map((flight, i) => Math.max(1, Math.floor((hold_ms[i] + flight) * 1000) / 1000));
  return { v: 1, span_ms: 5000, clock_ms: 0.1, pointer: "mouse", metrics, digraph_ms, path: pathOf(manner, dwell_ms, random) };
}
