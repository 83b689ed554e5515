// An identity provider at Microsoft's paths: node idp.mjs SETTINGS.json
//
// oidc-provider (certified for OpenID Connect) does the work; this file gives it the paths of the
// Microsoft identity platform, the password grant, which it leaves to others, and the wishes of the
// tests. Settings: port; tenant; rotate (a new refresh token each time); cert and key (HTTPS);
// certificate (PEM, of the clients that are "certified").
//
// Whoever comes with a browser is signed in and consents: as the login_hint, else as settings.application. A hint that
// begins with "deny" says no.
//
// POST /test/lifetime {"access": seconds, "device": seconds}
// POST /test/fault {"path", "status", "headers", "body", "count", "hang_up"}   the next answers of that path
// POST /test/busy   the first request of each application by each grant is put off
// POST /test/refresh-token {"client_id", "scope"}   as after a sign-in: {"refresh_token"}
// GET  /test/requests   the forms that the token endpoint was sent, and what it answered
// GET  /test/pages      the queries of the sign-in page
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import Provider, { errors } from "oidc-provider";

const settings = JSON.parse(fs.readFileSync(process.argv[2]));
const { port, tenant, users } = settings;
const base = `${settings.cert ? "https" : "http"}://localhost:${port}`;
const lifetime = { access: 3600, device: 600 };
const certificate = settings.certificate && new crypto.X509Certificate(fs.readFileSync(settings.certificate));
const { privateKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });

// Whatever a token is asked for is the name of a resource and a permission, as at Microsoft.
const resourceOf = (scope) => /^(https?:\/\/[^/]+)\//.exec(scope)?.[1];
const scopesOf = (text) => (text ?? "").split(" ").filter(Boolean);

const provider = new Provider(`${base}/${tenant}/v2.0`, {
  clients: settings.clients.filter(({ certified }) => !certified || certificate).map(({ id, secret, grants, certified }) => ({
    client_id: id,
    ...(secret ? { client_secret: secret } : {}),
    ...(certified ? { jwks: { keys: [certificate.publicKey.export({ format: "jwk" })] } } : {}),
    token_endpoint_auth_method: certified ? "private_key_jwt" : secret ? "client_secret_post" : "none",
    application_type: "native",
    grant_types: grants,
    response_types: grants.includes("authorization_code") ? ["code"] : [],
    redirect_uris: grants.includes("authorization_code") ? ["http://localhost"] : [],
  })).concat([{
    client_id: "mail-server", client_secret: "introspection", token_endpoint_auth_method: "client_secret_basic",
    grant_types: [], response_types: [], redirect_uris: [],
  }]),
  clientDefaults: { id_token_signed_response_alg: "ES256" },
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), kid: "test", use: "sig", alg: "ES256" }] },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, email: id, oid: `oid-${id}`, tid: tenant, preferred_username: id }) }),
  claims: { openid: ["sub", "oid", "tid"], profile: ["preferred_username"] },
  conformIdTokenClaims: false,
  scopes: ["openid", "offline_access", "profile"],
  pkce: { required: () => true },
  interactions: { url: (ctx, { uid }) => `/test/interaction/${uid}` },
  cookies: { keys: ["test"] },
  clientBasedCORS: () => false,
  rotateRefreshToken: settings.rotate,
  issueRefreshToken: () => true,
  ttl: {
    AccessToken: () => lifetime.access, ClientCredentials: () => lifetime.access, RefreshToken: 86400, Grant: 86400,
    Session: 3600, Interaction: 600, IdToken: 3600, AuthorizationCode: 600, DeviceCode: () => lifetime.device,
  },
  // What a mail server that asks about a token is told (XOAUTH2).
  extraTokenClaims: (ctx, token) => ({ username: token.accountId ?? settings.application }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (ctx, form, out, error) => { ctx.body = `<html>${error ? `<p>${error.name}</p>` : ""}${form}</html>`; },
      userCodeConfirmSource: (ctx, form) => { ctx.body = `<html>${form}</html>`; },
      successSource: (ctx) => { ctx.body = "signed in"; },
    },
    introspection: { enabled: true, allowedPolicy: (ctx, client) => client.clientId === "mail-server" },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, client, oneOf) =>
        oneOf ?? scopesOf(ctx.oidc.params.scope).map(resourceOf).find(Boolean),
      useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource) => ({
        scope: scopesOf(ctx?.oidc?.params?.scope ?? settings.scope).filter((s) => resourceOf(s) === resource).join(" ") || settings.scope,
        audience: resource, accessTokenFormat: "opaque", accessTokenTTL: lifetime.access,
      }),
    },
  },
  routes: {
    authorization: `/${tenant}/oauth2/v2.0/authorize`, device_authorization: `/${tenant}/oauth2/v2.0/devicecode`, code_verification: "/device",
    token: `/${tenant}/oauth2/v2.0/token`, introspection: `/${tenant}/introspect`, jwks: `/${tenant}/discovery/v2.0/keys`,
  },
});

// RFC 6749, section 4.3.
provider.registerGrantType("password", async (ctx, next) => {
  const { username, password, scope } = ctx.oidc.params;
  const user = users.find((known) => known.name === username);
  if (user?.aadsts) throw Object.assign(new errors.InvalidGrant("x"), { error_description: user.aadsts });
  if (!user || user.password !== password) {
    throw Object.assign(new errors.InvalidGrant("x"), {
      error_description: `AADSTS50126: Error validating credentials due to invalid username or password: ${password}.\r\nTrace ID: 7a1b\r\nTimestamp: 2026-11-21`,
    });
  }
  const wanted = scopesOf(scope);
  const resource = wanted.map(resourceOf).find(Boolean);
  if (!resource) throw new errors.InvalidScope("no resource", scope);
  const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: username });
  grant.addResourceScope(resource, wanted.join(" "));
  const { AccessToken } = provider;
  const token = new AccessToken({
    client: ctx.oidc.client, accountId: username, grantId: await grant.save(), gty: "password", scope,
    resourceServer: { identifier: () => resource, audience: resource, scope, accessTokenFormat: "opaque", accessTokenTTL: lifetime.access },
    aud: resource, expiresIn: lifetime.access,
  });
  ctx.body = { token_type: "Bearer", access_token: await token.save(), expires_in: lifetime.access, scope };
  await next();
}, ["username", "password", "scope"], []);

// What Microsoft's answers have and the standard does not.
provider.use(async (ctx, next) => {
  await next();
  const { route, params, body: form, account } = ctx.oidc ?? {};
  if (route === "device_authorization" && ctx.status === 200) {
    const { verification_uri_complete, ...body } = ctx.body;
    ctx.body = { ...body, interval: 1, message: `To sign in, open ${body.verification_uri} and enter the code ${body.user_code}` };
  }
  if (route === "token" && params?.grant_type === "client_credentials") delete ctx.body.scope;
  if (route === "token" && ctx.body?.error === "access_denied") {
    ctx.body = { ...ctx.body, error: "authorization_declined", error_description: "AADSTS70000: The end user declined." };
  }
  if (route === "token" && ctx.status === 200 && ctx.body.id_token && form?.client_info === "1") {
    const info = { uid: account.accountId, utid: tenant };
    ctx.body.client_info = Buffer.from(JSON.stringify(info)).toString("base64url");
  }
});

async function interaction(request, response) {
  const { params } = await provider.interactionDetails(request, response);
  const accountId = params.login_hint ?? settings.application;
  if (accountId.startsWith("deny")) {
    return provider.interactionFinished(request, response, { error: "access_denied", error_description: "AADSTS65004: User declined to consent to access the app." });
  }
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  for (const scope of scopesOf(params.scope)) {
    const resource = resourceOf(scope);
    resource ? grant.addResourceScope(resource, scope) : grant.addOIDCScope(scope);
  }
  const consent = { grantId: await grant.save() };
  return provider.interactionFinished(request, response, { login: { accountId }, consent }, { mergeWithLastSubmission: false });
}

async function refreshToken({ client_id, scope }) {
  const client = await provider.Client.find(client_id);
  const resource = resourceOf(scope), accountId = settings.application;
  const grant = new provider.Grant({ clientId: client_id, accountId });
  grant.addResourceScope(resource, scope);
  grant.addOIDCScope("offline_access");
  const token = new provider.RefreshToken({
    client, accountId, grantId: await grant.save(), gty: "authorization_code", resource,
    scope: `offline_access ${scope}`, rotations: 0, iiat: Math.floor(Date.now() / 1000),
  });
  return { refresh_token: await token.save() };
}

provider.on("server_error", (ctx, error) => console.error(error));
provider.on("grant.error", (ctx, error) => console.error(error.error, error.error_description, error.error_detail ?? ""));

let faults = [];
let putOff;
const requests = [];
const pages = [];
const callback = provider.callback();

async function read(stream) {
  let text = "";
  for await (const part of stream) text += part;
  return text;
}

async function handle(request, response) {
  const { pathname, search } = new URL(request.url, base);
  const answer = (status, body) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body ?? {}));
  };
  if (pathname.startsWith("/test/interaction/")) return interaction(request, response);
  if (pathname.endsWith("/authorize") && search) {
    const query = new URLSearchParams(search);
    pages.push(Object.fromEntries(query));
    // oidc-provider gives refresh tokens for prompt=consent only, and does not know select_account.
    query.set("prompt", "consent");
    request.url = `${pathname}?${query}`;
  }
  if (pathname.startsWith("/test/")) {
    const asked = JSON.parse((await read(request)) || "{}");
    switch (pathname) {
      case "/test/lifetime": Object.assign(lifetime, asked); return answer(200);
      case "/test/fault": faults.push(asked); return answer(200);
      case "/test/busy": putOff = new Set(); return answer(200);
      case "/test/refresh-token": return answer(200, await refreshToken(asked));
      case "/test/requests": return answer(200, requests);
      case "/test/pages": return answer(200, pages);
    }
  }
  if (pathname === `/${tenant}/v2.0/.well-known/openid-configuration`) request.url = "/.well-known/openid-configuration";
  // Google's endpoint is another path of the same provider.
  const isToken = pathname === `/${tenant}/oauth2/v2.0/token` || pathname === "/google/token";
  if (isToken) {
    const form = await read(request);
    const record = { path: pathname, form: Object.fromEntries(new URLSearchParams(form)), status: 0, body: "" };
    requests.push(record);
    const kind = [pathname, record.form.client_id, record.form.grant_type].join(" ");
    if (putOff && !putOff.has(kind)) {
      putOff.add(kind);
      response.writeHead(503, { "Retry-After": "0" });
      return response.end("busy");
    }
    const header = record.form.client_assertion?.split(".")[0];
    if (header) {
      const { "x5t#S256": thumbprint } = JSON.parse(Buffer.from(header, "base64url"));
      const own = crypto.createHash("sha256").update(certificate.raw).digest("base64url");
      if (thumbprint !== own) {
        const body = { error: "invalid_client", error_description: "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.", error_codes: [700027] };
        Object.assign(record, { status: 401, body: JSON.stringify(body) });
        return answer(401, body);
      }
    }
    request.body = form; // oidc-provider takes a body that somebody has read already.
    const { end } = response;
    response.end = (...parts) => {
      Object.assign(record, { status: response.statusCode, body: parts[0]?.toString?.() ?? "" });
      return end.apply(response, parts);
    };
    request.url = `/${tenant}/oauth2/v2.0/token`;
  }
  const fault = faults.find((fault) => fault.count > 0 && pathname.endsWith(fault.path));
  if (fault) {
    fault.count -= 1;
    if (fault.hang_up) return request.socket.destroy();
    response.writeHead(fault.status, fault.headers ?? {});
    return response.end(fault.body ?? "");
  }
  callback(request, response);
}

const server = settings.cert
  ? https.createServer({ cert: fs.readFileSync(settings.cert), key: fs.readFileSync(settings.key) }, handle)
  : http.createServer(handle);
server.listen(port, "127.0.0.1");
