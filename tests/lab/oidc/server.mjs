// A certified OpenID provider on loopback, for the tests of logging in.
//
//   node server.mjs '{"port": 31000, "users": {…}, "clients": […]}'
//
// Its pages are plain forms. A POST of JSON to /lab/<order> makes it change:
//   rotate  {"alg": "ES256"}       sign with a new key; the old one is gone
//   client  {"client_id": …}       know another client
//   told    {}                     what was asked and refused since the last time
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";

import { Provider } from "oidc-provider";

const given = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${given.port}`;
let told = [];

function key(alg) {
  const made = alg === "ES256"
    ? generateKeyPairSync("ec", { namedCurve: "P-256" })
    : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...made.privateKey.export({ format: "jwk" }), alg, use: "sig", kid: randomUUID() };
}

const keys = { ES256: key("ES256"), RS256: key("RS256") };

function provider() {
  const made = new Provider(issuer, {
    clients: given.clients,
    jwks: { keys: Object.values(keys) },
    cookies: { keys: ["of no worth"] },
    pkce: { required: () => true },
    scopes: ["openid", "email", "profile"],
    claims: {
      email: ["email", "email_verified"],
      profile: ["given_name", "family_name", "groups"],
    },
    conformIdTokenClaims: !given.inside,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256"] },
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    ttl: { AccessToken: 300, AuthorizationCode: 300, IdToken: 3600, Interaction: 600, Session: 600, Grant: 600 },
    findAccount: (ctx, sub) => given.users[sub] && {
      accountId: sub,
      claims: () => ({ sub, ...given.users[sub] }),
    },
  });
  made.on("grant.error", (ctx, error) => told.push(`token: ${error.message}: ${error.error_detail}`));
  made.on("grant.success", (ctx) => told.push(
    `token: given to ${ctx.oidc.client.clientId} by ${ctx.oidc.client.clientAuthMethod}`));
  made.on("authorization.error", (ctx, error) => told.push(`authorization: ${error.message}`));
  made.on("userinfo.error", (ctx, error) => told.push(`userinfo: ${error.message}`));
  return made;
}

let current = provider();

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

function page(response, title, inside) {
  response.writeHead(200, {
    "Content-Type": "text/html; charset=utf-8",
  });
  response.end(`<!doctype html><html lang=en><title>${title}</title><h1>${title}</h1>${inside}`);
}

async function interact(request, response) {
  const { prompt, params, session, grantId } = await current.interactionDetails(request, response);
  if (request.method === "GET") {
    const who = prompt.name === "login"
      ? Object.keys(given.users).map((sub) => `<button name=login value="${sub}">${sub}</button>`).join("")
      : "<button name=allow value=yes>Allow</button>";
    return page(response, prompt.name === "login" ? "Who are you?" : "Tell them?",
      `<form method=post>${who}<button name=refuse value=yes>Refuse</button></form>`);
  }
  const form = new URLSearchParams(await body(request));
  if (form.has("refuse")) {
    const refused = { error: "access_denied", error_description: "no" };
    return current.interactionFinished(request, response, refused, { mergeWithLastSubmission: false });
  }
  if (prompt.name === "login") {
    const login = { login: { accountId: form.get("login") } };
    return current.interactionFinished(request, response, login, { mergeWithLastSubmission: false });
  }
  const grant = grantId
    ? await current.Grant.find(grantId)
    : new current.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(" "));
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
  const consent = { consent: { grantId: await grant.save() } };
  return current.interactionFinished(request, response, consent, { mergeWithLastSubmission: true });
}

async function order(request, response) {
  const what = JSON.parse((await body(request)) || "{}");
  let answer = {};
  if (request.url === "/lab/rotate") {
    keys[what.alg] = key(what.alg);
    current = provider();
  } else if (request.url === "/lab/client") {
    given.clients.push(what);
    current = provider();
  } else if (request.url === "/lab/told") {
    [answer, told] = [told, []];
  }
  response.writeHead(200, { "Content-Type": "application/json" });
  response.end(JSON.stringify(answer));
}

const server = createServer((request, response) => {
  const done = request.url.startsWith("/lab/") ? order(request, response)
    : request.url.startsWith("/interaction/") ? interact(request, response)
    : current.callback()(request, response);
  Promise.resolve(done).catch((error) => {
    console.error(error);
    response.writeHead(500).end();
  });
});
server.keepAliveTimeout = 1000;
server.listen(given.port, "127.0.0.1", () => console.log("listening"));
