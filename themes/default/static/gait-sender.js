// How batches get to Gait: numbered, with a watch token, never queued.

const MAX_WAIT_S = 120;

/** Posts numbered batches. `send` resolves to `{ state, next_s, keys }`; `state` is the server's `ok`, `step_up` or `ended`, or
 * `offline` (try again after `next_s`), or `unwatched` (there is no token to be had: stop). `keys`, only with an
 * answer of the server's, says if key identities were agreed to. It queues nothing: a batch that can't be delivered is dropped.
 *
 * `getToken()` resolves to the watch token, or to the JSON of the token endpoint's answer, errors included. */
export function createSender({ token = null, endpoint, getToken, fetch = globalThis.fetch.bind(globalThis), now = Date.now }) {
  let current = token;
  let target = endpoint;
  let seq = 0;
  let failures = 0;

  const offline = (wait) => {
    failures += 1;
    return { state: "offline", next_s: Math.min(wait ?? 5 * 2 ** (failures - 1), MAX_WAIT_S) };
  };
  async function renew() {
    const answer = getToken ? await getToken() : null;
    if (answer?.error === "session_ended") return "ended";
    current = typeof answer === "string" ? answer : (answer?.watch_token ?? null);
    target ??= answer?.samples_endpoint;
    return current && target ? "ok" : "unwatched";
  }
  function post(batch, keepalive) {
    // A page that is loaded again must count on above the earlier one's numbers.
    seq = Math.max(seq + 1, now());
    return fetch(target, {
      method: "POST",
      mode: "cors",
      credentials: "omit",
      cache: "no-store",
      keepalive,
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${current}` },
      body: JSON.stringify({ ...batch, seq }),
    });
  }
  async function deliver(batch, keepalive) {
    if (!current || !target) {
      const renewed = await renew();
      if (renewed !== "ok") return { state: renewed, next_s: 0 };
    }
    let response = await post(batch, keepalive);
    if (response.status === 401 && getToken) {
      const renewed = await renew();
      if (renewed !== "ok") return { state: renewed, next_s: 0 };
      response = await post(batch, keepalive);
    }
    return read(response);
  }
  async function read(response) {
    if (response.status === 401) return { state: "unwatched", next_s: 0 };
    if (response.status === 429) return offline(Math.max(1, Number(response.headers.get("Retry-After")) || 5));
    if (!response.ok) return offline();
    const answer = await response.json();
    if (typeof answer.watch_token === "string") current = answer.watch_token;
    failures = 0;
    const state = ["ok", "step_up", "ended"].includes(answer.state) ? answer.state : "ok";
    return { state, next_s: Math.min(Math.max(Number(answer.next_s) || 5, 1), MAX_WAIT_S), keys: answer.keys === true };
  }
  return {
    async send(batch, { keepalive = false } = {}) {
      try {
        return await deliver(batch, keepalive);
      } catch {
        return offline();
      }
    },
  };
}
