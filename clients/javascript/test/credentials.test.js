import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway } from "../gateway.js";
import { connection, lookups, problem, serve } from "./server.js";

const all = lookups((platform, userId) => connection(platform, userId));
const refused = () => [401, problem("credential-refused", 401)];

test("after a 401 headers are asked for once more, once for all calls in flight", async () => {
  let token = "old";
  const asked = [];
  const server = await serve((request) => {
    if (request.headers.authorization !== "Bearer new") return refused();
    return request.path === "/v1/lookup" ? all(request) : [200, { platforms: [] }];
  });
  const gateway = new Gateway(server.url, { headers: async ({ refused: isRefused }) => {
    asked.push(isRefused);
    if (isRefused) token = "new";
    return { authorization: `Bearer ${token}` };
  } });
  const [found] = await Promise.all([gateway.lookup("acme", "1"), gateway.platforms(), gateway.platforms()]);
  assert.equal(found.status, "connected");
  assert.equal(asked.filter(Boolean).length, 1);
  await server.close();
});

test("an entry that is refused within an answer renews the headers too, and alone is asked again", async () => {
  const server = await serve((request) => lookups((platform, id) => (
    platform === "acme" && request.headers.authorization === "old"
      ? problem("credential-refused", 401) : connection(platform, id)))(request));
  const gateway = new Gateway(server.url, { headers: ({ refused: isRefused }) => ({ authorization: isRefused ? "new" : "old" }) });
  const users = [{ platform: "acme", user_id: "1" }, { platform: "club", user_id: "1" }];
  assert.deepEqual((await gateway.lookupMany(users)).map((each) => each.status), ["connected", "connected"]);
  assert.deepEqual(server.requests.map((each) => each.body.users.length), [2, 1]);
  await server.close();
});

test("headers that stay refused are asked for twice and no more", async () => {
  const server = await serve(refused);
  await assert.rejects(new Gateway(server.url, { headers: () => ({}) }).platforms(), { slug: "credential-refused" });
  assert.equal(server.requests.length, 2);
  await assert.rejects(new Gateway(server.url).platforms(), { slug: "credential-refused" });
  assert.equal(server.requests.length, 3, "headers that are no function can't be renewed");
  await server.close();
});

test("what is kept is dropped when the credentials change", async () => {
  let key = "one";
  const server = await serve(all);
  const gateway = new Gateway(server.url, { headers: () => ({ "x-api-key": key }) });
  await gateway.lookup("acme", "2");
  gateway.prime([connection("acme", "1")]);
  await gateway.lookup("acme", "2");
  assert.equal(gateway.state("acme", "1").connection.status, "connected");
  key = "two";
  await gateway.lookup("acme", "2");
  assert.equal(gateway.state("acme", "1").connection, null);
  await server.close();
});

test("an action whose token is renewed on the way is answered, and what was known before is dropped", async () => {
  let token = "old";
  const server = await serve((request) => {
    if (request.headers.authorization !== "new") return refused();
    return request.path === "/v1/lookup" ? all(request) : [200, connection("acme", "1", "none")];
  });
  const gateway = new Gateway(server.url, { headers: ({ refused: isRefused }) => {
    if (isRefused) token = "new";
    return { authorization: token };
  } });
  gateway.prime([connection("acme", "1"), connection("acme", "2")]);
  gateway.subscribe("acme", "1", () => {});
  await gateway.act("acme", "1", "remove");
  const { connection: now, acting, isLoading, problem: failure } = gateway.state("acme", "1");
  assert.deepEqual([now.status, acting, isLoading, failure], ["none", null, false, null]);
  assert.equal(gateway.state("acme", "2").connection, null);
  await server.close();
});

test("an action of the viewer before leaves the next viewer's answer alone", async () => {
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  let key = "one";
  const server = await serve(async (request) => {
    if (request.path === "/v1/lookup") return lookups((platform, id) => connection(platform, id, "pending_incoming"))(request);
    if (request.path === "/v1/platforms") return [200, { platforms: [] }];
    await held;
    return [200, connection("acme", "1", "none")];
  });
  const gateway = new Gateway(server.url, { headers: () => ({ "x-api-key": key }) });
  gateway.prime([connection("acme", "1")]);
  gateway.subscribe("acme", "1", () => {});
  const action = gateway.act("acme", "1", "remove");
  while (!server.requests.length) await new Promise(setImmediate);
  key = "two";
  await gateway.platforms();
  release();
  await action;
  while (gateway.state("acme", "1").isLoading) await new Promise(setImmediate);
  assert.equal(gateway.state("acme", "1").connection.status, "pending_incoming");
  await server.close();
});

test("no error quotes a header", async () => {
  const gateway = new Gateway("http://127.0.0.1:9", { headers: { "x-api-key": "secret\nkey" } });
  await assert.rejects(gateway.platforms(), (error) => !`${error.stack}${error.cause}`.includes("secret"));
});
