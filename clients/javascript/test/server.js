// A scripted gateway on loopback: `answer(request)` gives [status, body, headers] of each request.
import { createServer } from "node:http";

export async function serve(answer) {
  const requests = [];
  const server = createServer(async (incoming, response) => {
    let text = "";
    for await (const chunk of incoming) text += chunk;
    const request = { method: incoming.method, path: incoming.url, headers: incoming.headers, body: text && JSON.parse(text) };
    requests.push(request);
    const [status, body, headers] = (await answer(request)) ?? [0];
    if (!status) return incoming.socket.destroy();
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    requests,
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}

export const connection = (platform, userId, status = "connected", more = {}) => ({
  platform,
  user_id: userId,
  status,
  native_status: null,
  actions: { connected: ["remove"], pending_incoming: ["accept", "reject"], none: ["request"] }[status] ?? [],
  first_requested_at: null,
  updated_at: null,
  request_count: null,
  as_of: "2026-11-21T21:41:00.123Z",
  stale: false,
  ...more,
});

export const problem = (slug, status, more = {}) => ({
  type: `/problems/${slug}`, title: "A title", status, detail: "a detail", instance: "request-1", retryable: false, ...more,
});

/** Answers `POST /v1/lookup` with what `of` gives for each user: a connection, or a problem. */
export const lookups = (of) => ({ body }) => [200, {
  results: body.users.map(({ platform, user_id: userId }) => {
    const found = of(platform, userId);
    return "type" in found ? { error: found } : { connection: found };
  }),
}];
