import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { GatewayProblem } from "../gateway.js";
import { watch } from "../watch.js";
import { connection, problem } from "./server.js";

const USERS = [{ platform: "acme", user_id: 1n }, { platform: "club", user_id: "7" }];
const event = (name, data) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

/** A gateway whose nth stream is what the nth of these writes. */
async function streams(...scripts) {
  const requests = [];
  const server = createServer(async (incoming, response) => {
    let text = "";
    for await (const chunk of incoming) text += chunk;
    requests.push({ headers: incoming.headers, body: text && JSON.parse(text) });
    await scripts[Math.min(requests.length, scripts.length) - 1](response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    requests,
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}

const stream = (...parts) => async (response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (const part of ["retry: 2000\n\n", ...parts]) {
    response.write(part);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};
const ended = (...parts) => async (response) => {
  await stream(...parts)(response);
  response.end();
};
const refusal = (document) => (response) => {
  response.writeHead(document.status, { "content-type": "application/problem+json" });
  response.end(JSON.stringify(document));
};

async function take(watched, count) {
  const found = [];
  while (found.length < count) {
    const { value } = await watched.next();
    found.push(value instanceof GatewayProblem ? value.slug : `${value.user_id} ${value.status}`);
  }
  return found;
}

test("states and changes, in parts of any size", async (t) => {
  const all = event("connection", connection("acme", "1", "none")) + ": still here\n\n"
    + event("problem", problem("user-not-found", 404, { platform: "club", user_id: "7" }))
    + event("connection", connection("acme", "1", "none", { as_of: "2026-11-21T21:41:01.123Z" }))
    + event("later", {}) + event("connection", connection("acme", "1", "connected", { native_status: "ü\u2028" }));
  const bytes = Buffer.from(all);
  const gateway = await streams(stream(...Array.from({ length: Math.ceil(bytes.length / 97) }, (_, place) =>
    bytes.subarray(place * 97, (place + 1) * 97))));
  t.after(gateway.close);
  const watched = watch(USERS, { url: gateway.url, headers: { "x-api-key": "key" } });
  assert.deepEqual(await take(watched, 3), ["1 none", "user-not-found", "1 connected"]);
  await watched.return();
  assert.equal(gateway.requests[0].headers["x-api-key"], "key");
  assert.deepEqual(gateway.requests[0].body, { users: [{ platform: "acme", user_id: "1" }, { platform: "club", user_id: "7" }] });
});

test("a stream that ends is begun again, and nothing comes twice", async (t) => {
  const first = event("connection", connection("acme", "1", "none"));
  const gateway = await streams(
    ended(first, event("goaway", { reason: "draining" })),
    (response) => response.destroy(),
    refusal(problem("overloaded", 503, { retryable: true, retry_after: 0 })),
    stream(first, event("connection", connection("acme", "1", "connected"))),
  );
  t.after(gateway.close);
  t.mock.method(Math, "random", () => -0.99);  // a pause of hardly anything
  assert.deepEqual(await take(watch(USERS, { url: gateway.url }), 2), ["1 none", "1 connected"]);
  assert.equal(gateway.requests.length, 4);
});

test("a token that has expired is asked for anew, and one that stays refused is thrown", async (t) => {
  const refused = refusal(problem("invalid-api-key", 401));
  const gateway = await streams(refused, ended(event("connection", connection("acme", "1", "none"))), refused);
  t.after(gateway.close);
  t.mock.method(Math, "random", () => -0.99);
  const asked = [];
  const headers = async (reason) => {
    asked.push(reason.refused);
    return { "x-api-key": `key-${asked.length}` };
  };
  const watched = watch(USERS, { url: gateway.url, headers });
  assert.deepEqual(await take(watched, 1), ["1 none"]);
  await assert.rejects(watched.next(), { slug: "invalid-api-key" });
  assert.deepEqual(asked, [false, true, false, true]);
  await assert.rejects(watch(USERS, { url: gateway.url }).next(), { slug: "invalid-api-key" });
});

test("an abort ends it, whatever it waits for", async (t) => {
  const gateway = await streams(stream(), (response) => response.destroy());
  t.after(gateway.close);
  for (const wait of [50, 10]) {
    const stop = new AbortController();
    const watched = watch(USERS, { url: gateway.url, signal: stop.signal });
    setTimeout(() => stop.abort(), wait);
    assert.deepEqual(await watched.next(), { value: undefined, done: true });
  }
});
