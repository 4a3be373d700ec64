import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway, GatewayProblem, GatewayUnreachable } from "../gateway.js";
import { connection, lookups, problem, serve } from "./server.js";

async function with_(answer, use, options) {
  const server = await serve(answer);
  try {
    await use(new Gateway(`${server.url}/`, options), server);
  } finally {
    await server.close();
  }
}

const all = lookups((platform, userId) => connection(platform, userId));

test("lookups of one turn of the event loop leave as one request", () => with_(all, async (gateway, server) => {
  const ids = Array.from({ length: 100 }, (_, index) => String(index + 1));
  const found = await Promise.all(ids.map((id) => gateway.lookup("acme", id)));
  assert.deepEqual(found.map((each) => each.user_id), ids);
  assert.equal(server.requests.length, 1);
  assert.deepEqual([server.requests[0].method, server.requests[0].path], ["POST", "/v1/lookup"]);
}));

test("the gateway may answer from its cache", () => with_(all, async (gateway, server) => {
  await gateway.lookup("acme", "1");
  assert.deepEqual([server.requests[0].headers["cache-control"], server.requests[0].headers.pragma], [undefined, undefined]);
}));

test("the same user asked twice is one question, in flight as well", async () => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await with_(async (request) => { await held; return all(request); }, async (gateway, server) => {
    const first = [gateway.lookup("acme", "1"), gateway.lookup("acme", 1n)];
    while (!server.requests.length) await new Promise(setImmediate);
    const joined = gateway.lookup("acme", "1");
    release();
    assert.equal(new Set(await Promise.all([...first, joined])).size, 1);
    assert.equal(server.requests.length, 1);
    assert.deepEqual(server.requests[0].body.users, [{ platform: "acme", user_id: "1" }]);
  });
});

test("more than a thousand users are split", () => with_(all, async (gateway, server) => {
  const users = Array.from({ length: 2500 }, (_, index) => ({ platform: "acme", user_id: String(index + 1) }));
  const found = await gateway.lookupMany(users);
  assert.deepEqual(found.map((each) => each.user_id), users.map((each) => each.user_id));
  assert.deepEqual(server.requests.map((each) => each.body.users.length), [1000, 1000, 500]);
}));

test("each user has its own problem", () => with_(
  lookups((platform, id) => (id === "2" ? problem("user-not-found", 404, { platform, user_id: id }) : connection(platform, id))),
  async (gateway) => {
    const [first, second] = await gateway.lookupMany([{ platform: "acme", user_id: "1" }, { platform: "acme", user_id: "2" }]);
    assert.equal(first.status, "connected");
    assert.ok(second instanceof GatewayProblem && second instanceof Error);
    assert.deepEqual([second.slug, second.status, second.platform, second.user_id], ["user-not-found", 404, "acme", "2"]);
    await assert.rejects(gateway.lookup("acme", "2"), { name: "GatewayProblem", slug: "user-not-found" });
  }));

test("a malformed user fails alone, and is not sent", () => with_(all, async (gateway, server) => {
  const users = [["acme", "1"], ["acme", "{{id}}"], ["Acme", "1"], ["acme", "01"], ["", "1"], ["acme/1", "2"]];
  const found = await gateway.lookupMany(users.map(([platform, id]) => ({ platform, user_id: id })));
  assert.deepEqual(found.map(({ slug, status, user_id: id }) => [slug, status, id]), [
    [undefined, "connected", "1"], ...users.slice(1).map(([, id]) => ["invalid-request", 400, id]),
  ]);
  assert.deepEqual(server.requests.map(({ body }) => body.users), [[{ platform: "acme", user_id: "1" }]]);
}));

test("a signal takes only its own caller away", () => with_(all, async (gateway, server) => {
  const leaving = new AbortController();
  const left = gateway.lookup("acme", "1", { signal: leaving.signal });
  const stays = gateway.lookup("acme", "1");
  const alone = gateway.lookup("acme", "2", { signal: leaving.signal });
  leaving.abort();
  await assert.rejects(left, { name: "AbortError" });
  await assert.rejects(alone, { name: "AbortError" });
  assert.equal((await stays).status, "connected");
  assert.deepEqual(server.requests[0].body.users.map((each) => each.user_id), ["1"], "nobody waits for 2");
  await assert.rejects(gateway.lookup("acme", "1", { signal: AbortSignal.abort() }), { name: "AbortError" });
}));

test("Retry-After is honoured once", async () => {
  let rounds = 0;
  await with_((request) => {
    rounds += 1;
    return lookups((platform, id) => (id === "1" ? problem("platform-throttled", 429, { retry_after: 1 }) : connection(platform, id)))(request);
  }, async (gateway, server) => {
    const [first, second] = await gateway.lookupMany([{ platform: "acme", user_id: "1" }, { platform: "acme", user_id: "2" }]);
    assert.deepEqual([first.slug, second.status, rounds], ["platform-throttled", "connected", 2]);
    assert.deepEqual(server.requests[1].body.users.map((each) => each.user_id), ["1"]);
  });
});

test("nobody waits longer for Retry-After than the timeout", () => with_(
  () => [503, problem("overloaded", 503, { retry_after: 11 })],
  async (gateway, server) => {
    await assert.rejects(gateway.lookup("acme", "1"), { slug: "overloaded", retry_after: 11 });
    assert.equal(server.requests.length, 1);
  }));

test("what is no answer of a gateway is told as such", async () => {
  await with_(() => null, (gateway) => assert.rejects(gateway.lookup("acme", "1"), GatewayUnreachable));
  await with_(() => [200, "<html>"], (gateway) => assert.rejects(gateway.lookup("acme", "1"), GatewayUnreachable));
  await with_(() => [502, "<html>"], (gateway) => assert.rejects(gateway.platforms(), { type: "about:blank", status: 502 }));
  await with_(() => [302, "", { location: "/elsewhere" }], (gateway) => assert.rejects(gateway.platforms(), GatewayUnreachable));

});

test("a gateway that does not answer in time is unreachable", () => with_(
  () => new Promise(() => {}),
  (gateway) => assert.rejects(gateway.lookup("acme", "1"), GatewayUnreachable),
  { timeout: 20 },
));

test("connections yields every page, and problems at the end", async () => {
  const pages = [
    { connections: [connection("acme", "1")], errors: [problem("platform-timeout", 504, { platform: "club" })], next_cursor: "c1" },
    { connections: [connection("acme", "2")], errors: [], next_cursor: null },
  ];
  const served = () => { const left = [...pages]; return () => [200, left.shift()]; };
  await with_(served(), async (gateway, server) => {
    const found = [];
    await assert.rejects(async () => {
      for await (const each of gateway.connections({ platform: ["acme", "club"], status: "all", limit: 1 })) found.push(each.user_id);
    }, (error) => error instanceof AggregateError && error.errors[0].slug === "platform-timeout");
    assert.deepEqual(found, ["1", "2"]);
    assert.deepEqual(server.requests.map((each) => each.path), [
      "/v1/connections?platform=acme&platform=club&status=all&limit=1",
      "/v1/connections?platform=acme&platform=club&status=all&limit=1&cursor=c1",
    ]);
  });
  await with_(served(), async (gateway) => {
    const problems = [];
    for await (const _ of gateway.connections({ onProblem: (each) => problems.push(each.slug) }));
    assert.deepEqual(problems, ["platform-timeout"]);
  });
});
