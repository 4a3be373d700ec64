import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway, GatewayUnreachable } from "../gateway.js";
import { connection, lookups, problem, serve } from "./server.js";

async function with_(answer, use, options) {
  const server = await serve(answer);
  try {
    await use(new Gateway(server.url, options), server);
  } finally {
    await server.close();
  }
}

const all = lookups((platform, userId) => connection(platform, userId, "pending_incoming"));
const acted = (request) => request.path.split("/").pop();
const settled = (gateway) => new Promise((resolve) => {
  const leave = gateway.subscribe("acme", "1", (state) => { if (!state.isLoading) { leave(); resolve(state); } });
});

test("the same action twice is one, and a newer one replaces the one that waits", async () => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await with_(async () => { await held; return [200, connection("acme", "1")]; }, async (gateway, server) => {
    const running = [gateway.act("acme", "1", "accept"), gateway.act("acme", "1", "accept")];
    const replaced = gateway.act("acme", "1", "reject");
    const last = gateway.act("acme", "1", "remove");
    await assert.rejects(replaced, { name: "AbortError" });
    release();
    await Promise.all([...running, last]);
    assert.deepEqual(server.requests.map(acted), ["accept", "remove"]);
  });
});

test("an action changes what subscribers see only once it is answered", () => with_(
  (request) => (request.path === "/v1/lookup" ? all(request) : [200, connection("acme", "1")]),
  async (gateway) => {
    gateway.prime([connection("acme", "1", "pending_incoming")]);
    const seen = [];
    gateway.subscribe("acme", "1", (state) => seen.push([state.connection.status, state.acting]));
    await gateway.act("acme", "1", "accept");
    assert.deepEqual(seen, [["pending_incoming", "accept"], ["connected", null]]);
  }));

test("the connection of a 409 is what is known afterwards", () => with_(
  () => [409, problem("action-not-possible", 409, { connection: connection("acme", "1", "none") })],
  async (gateway) => {
    gateway.prime([connection("acme", "1", "pending_incoming")]);
    gateway.subscribe("acme", "1", () => {});
    await assert.rejects(gateway.act("acme", "1", "accept"), { slug: "action-not-possible" });
    assert.equal(gateway.state("acme", "1").connection.status, "none");
  }));

test("an unknown outcome is read once, past every cache, and never sent again", async () => {
  for (const after of ["connected", "pending_incoming"]) {
    await with_((request) => (request.method === "GET"
      ? [200, connection("acme", "1", after)]
      : [504, problem("outcome-unknown", 504)]), async (gateway, server) => {
      const answer = gateway.act("acme", "1", "accept");
      if (after === "connected") assert.equal((await answer).status, "connected");
      else await assert.rejects(answer, { slug: "outcome-unknown" });
      assert.deepEqual(server.requests.map((each) => each.method), ["POST", "GET"]);
      assert.equal(server.requests[1].headers["cache-control"], "no-cache");
    });
  }
});

test("an action that is lost is not sent again", () => with_(() => null, async (gateway, server) => {
  await assert.rejects(gateway.act("acme", "1", "accept"), GatewayUnreachable);
  assert.equal(server.requests.filter((each) => each.method === "POST").length, 1);
}));

test("what is primed costs no call, and every subscriber is told", () => with_(all, async (gateway, server) => {
  gateway.prime([connection("acme", "1", "none")]);
  gateway.subscribe("acme", "1", () => {});
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(gateway.state("acme", "1").connection.status, "none");
  assert.equal(server.requests.length, 0);
}));

test("retry asks again for whatever failed, in one request", async () => {
  let isUp = false;
  await with_((request) => (isUp ? all(request) : [502, problem("platform-unreachable", 502)]), async (gateway, server) => {
    assert.equal((await settled(gateway)).problem.slug, "platform-unreachable");
    gateway.subscribe("acme", "1", () => {});
    isUp = true;
    gateway.retry();
    assert.equal((await settled(gateway)).connection.status, "pending_incoming");
    assert.equal(server.requests.length, 2);
  });
});
