// The bench's peer: oidc-provider with everything in memory, a sign-in page of one form, and argon2id at the same parameters as
// Gait's. What it must know comes from the environment.

import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import { Provider } from "oidc-provider";
import { Algorithm, hash, verify } from "@node-rs/argon2";

const { PEER_ISSUER, PEER_PORT, PEER_ACCOUNTS, PEER_PASSWORD, PEER_CLIENT, PEER_JWT_CLIENT, PEER_SECRET, PEER_REDIRECT_URI, PEER_SCOPE } =
  process.env;
const DAY_S = 86_400;
const RESOURCE = "urn:bench:api";

const password = await hash(PEER_PASSWORD, { algorithm: Algorithm.Argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 });
const accounts = new Map(Array.from({ length: Number(PEER_ACCOUNTS) }, (_, i) => [`user${i}`, password]));

/** What providers must remember, by kind and id. Nothing is dropped before its time, as the built-in memory would. */
class Memory {
  static entries = new Map();
  static ofGrants = new Map();
  static sessions = new Map();

  constructor(kind) {
    this.kind = kind;
  }

  key(id) {
    return `${this.kind} ${id}`;
  }

  async upsert(id, payload, seconds) {
    const key = this.key(id);
    Memory.entries.set(key, { payload, until: seconds ? Date.now() + seconds * 1000 : Infinity });
    if (this.kind === "Session") Memory.sessions.set(payload.uid, id);
    if (payload.grantId && this.kind !== "Grant") {
      const keys = Memory.ofGrants.get(payload.grantId) ?? new Set();
      Memory.ofGrants.set(payload.grantId, keys.add(key));
    }
  }

  async find(id) {
    const entry = Memory.entries.get(this.key(id));
    return entry && entry.until > Date.now() ? entry.payload : undefined;
  }

  async findByUid(uid) {
    return this.find(Memory.sessions.get(uid));
  }

  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    const payload = await this.find(id);
    Memory.entries.delete(this.key(id));
    if (payload?.grantId) Memory.ofGrants.get(payload.grantId)?.delete(this.key(id));
  }

  async revokeByGrantId(grantId) {
    for (const key of Memory.ofGrants.get(grantId) ?? []) Memory.entries.delete(key);
    Memory.ofGrants.delete(grantId);
  }
}

setInterval(() => {
  const now = Date.now();
  for (const [key, entry] of Memory.entries) if (entry.until <= now) Memory.entries.delete(key);
}, 30_000).unref();

const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" });
const client = {
  client_secret: PEER_SECRET,
  redirect_uris: [PEER_REDIRECT_URI],
  grant_types: ["authorization_code", "refresh_token", "client_credentials"],
  id_token_signed_response_alg: "ES256",
};

const provider = new Provider(PEER_ISSUER, {
  adapter: Memory,
  clients: [PEER_CLIENT, PEER_JWT_CLIENT].map((client_id) => ({ ...client, client_id })),
  jwks: { keys: [{ ...key, alg: "ES256", use: "sig", kid: "bench" }] },
  enabledJWA: { idTokenSigningAlgValues: ["ES256"] },
  cookies: { keys: ["a key for a bench is no secret"] },
  scopes: ["openid", "offline_access", PEER_SCOPE],
  pkce: { required: () => true },
  rotateRefreshToken: true,
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
  findAccount: async (_ctx, id) => (accounts.has(id) ? { accountId: id, claims: async () => ({ sub: id }) } : undefined),
  // The operator's own apps: nobody is asked for consent.
  loadExistingGrant: async ({ oidc }) => {
    const known = oidc.session.grantIdFor(oidc.client.clientId);
    const found = known && (await provider.Grant.find(known));
    if (found) return found;
    const grant = new provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid offline_access");
    await grant.save();
    return grant;
  },
  interactions: { url: (_ctx, interaction) => `/sign-in/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (_ctx, client) => (client.clientId === PEER_JWT_CLIENT ? RESOURCE : undefined),
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({
        scope: PEER_SCOPE,
        audience: RESOURCE,
        accessTokenFormat: "jwt",
        accessTokenTTL: 300,
        jwt: { sign: { alg: "ES256" } },
      }),
    },
  },
  ttl: {
    AccessToken: 3600,
    AuthorizationCode: 60,
    ClientCredentials: 3600,
    Grant: 14 * DAY_S,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 14 * DAY_S,
    Session: 14 * DAY_S,
  },
});
provider.on("server_error", (_ctx, error) => console.error(error));

const page = (uid) => `<!doctype html><title>Sign in</title><form method="post" action="/sign-in/${uid}">
<input name="identifier"><input name="password" type="password"><button>Sign in</button></form>`;

/** The form of a request's body. */
async function form(request) {
  let text = "";
  for await (const part of request) text += part;
  return new URLSearchParams(text);
}

async function signIn(request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  if (request.method !== "POST") return response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page(uid));
  const answers = await form(request);
  const accountId = answers.get("identifier") ?? "";
  const stored = accounts.get(accountId);
  if (!stored || !(await verify(stored, answers.get("password") ?? ""))) return response.writeHead(401).end("wrong");
  await provider.interactionFinished(request, response, { login: { accountId } }, { mergeWithLastSubmission: false });
}

const others = provider.callback();
const server = createServer((request, response) => {
  if (!request.url.startsWith("/sign-in/")) return others(request, response);
  signIn(request, response).catch((error) => {
    console.error(error);
    if (!response.headersSent) response.writeHead(500).end();
  });
});
server.listen(Number(PEER_PORT), "127.0.0.1");
