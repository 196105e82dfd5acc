// Makes batches of a made-up person's rhythm from the parameters in rhythms.json.

/** A standard normal number (Box and Muller). */
function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/**
 * One batch, in the shape that Gait's collector sends. Each metric has n values, each
 * max(min, mean + batch_sd * z_batch + sd * z_i): people are a little different every time, and within each time.
 */
export function batchOf(rhythm, random = Math.random) {
  const metrics = {};
  for (const [name, { n, mean, sd, batch_sd, min }] of Object.entries(rhythm)) {
    const centre = mean + batch_sd * normal(random);
    const most = name === "cursor_variation" ? Math.PI : Infinity;
    const value = () => Math.min(most, Math.max(min, centre + sd * normal(random)));
    metrics[name] = Array.from({ length: n }, () => Math.floor(value() * 1000) / 1000);
  }
  return { v: 1, span_ms: 5000, clock_ms: 0.1, pointer: "mouse", metrics };
}
