// The pages of docs/clients/javascript.md, with the gateways that it configures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFile } from "node:fs/promises";
import { given, looks, open, serve, shows } from "./session.mjs";

const page = (script, body) => `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Test</title>
  <script type="module" src="${script}"></script>${body}</html>`;
const one = '<connection-status platform="acme" user-id="101"></connection-status>';

test("the first page works as it stands", async () => {
  const names = { "http://127.0.0.1:8080": given.own, symphony: "acme", community: "club" };
  const body = Object.entries(names).reduce((text, [old, now]) => text.replaceAll(old, now), given.first_page);
  serve("/first.html", body);
  await open("/first.html", async (each, requests) => {
    await each.waitForFunction(() => !document.querySelector("connection-status:is(:not(:defined), :state(loading))"));
    const shown = (await looks(each)).map(({ status, problem }) => [status !== "", problem]);
    assert.deepEqual(shown, Array(3).fill([true, ""]));
    assert.equal(requests.filter(({ url }) => url.endsWith("/v1/lookup")).filter(({ method }) => method === "POST").length, 1);
  });
});

test("its code runs", async () => {
  assert.equal(given.code.length, 3);
  for (const [index, block] of given.code.entries()) {
    const isEndless = block.includes("of watch(");
    const code = isEndless ? block.replace("prime([found]);", 'prime([found]) ?? (document.title = "done");') : `${block}; document.title = "done";`;
    serve(`/code-${index}.js`, code.replaceAll("769658112378", "101"));
    serve(`/code-${index}.html`, page(`code-${index}.js`, ""));
    await open(`/code-${index}.html`, (each) => each.waitForFunction(() => document.title === "done"));
  }
});

test("the viewer's own token: one lookup, with the token, and none without it", async () => {
  const code = await readFile(`${given.client}/examples/token.js`, "utf8");
  serve("/token.js", code.replaceAll("https://gateway.example.com", given.token));
  serve("/session.js", "export const viewerToken = async ({ renew }) => renew ? \"demo\" : \"expired\";");
  serve("/token.html", page("token.js", one));
  await open("/token.html", async (each, requests) => {
    await shows(each, "Connected");
    const sent = requests.filter(({ method, url }) => method === "POST" && url.startsWith(given.token));
    assert.deepEqual(sent.map(({ headers }) => headers["x-platform-token"]), ["acme=expired", "acme=demo"]);
  }, { expected: /401/ });
});

test("a proxy that adds the key: the page needs no code, and has no secret", async () => {
  await open(`${given.proxied}/people.html?viewer=102`, async (each, requests) => {
    await shows(each, "Request sent");
    assert.ok(requests.every(({ headers }) => !("X-API-Key" in headers) && !("x-api-key" in headers)));
    assert.equal((await looks(each)).length, 1);
  });
});
