// The endpoint as a team would write it on Node, with Fastify and undici.
import fastify from "fastify";
import { Pool } from "undici";

const pod = new Pool(process.env.UPSTREAM, { connections: 64 });
const STATUS = {
  PENDING_INCOMING: "pending_incoming",
  PENDING_OUTGOING: "pending_outgoing",
  ACCEPTED: "connected",
  REJECTED: "rejected",
};
const ACTIONS = {
  none: ["request"],
  pending_incoming: ["accept", "reject"],
  pending_outgoing: [],
  connected: ["remove"],
  rejected: ["request"],
};
const nullable = (type) => ({ type, nullable: true });
const connection = {
  type: "object",
  properties: {
    platform: { type: "string" },
    user_id: { type: "string" },
    status: { type: "string" },
    native_status: nullable("string"),
    actions: { type: "array", items: { type: "string" } },
    first_requested_at: nullable("string"),
    updated_at: nullable("string"),
    request_count: nullable("integer"),
    as_of: { type: "string" },
    stale: { type: "boolean" },
  },
};
const params = {
  type: "object",
  properties: { platform: { type: "string" }, user_id: { type: "string", pattern: "^[1-9][0-9]{0,18}$" } },
};
const rfc3339 = (ms) => (ms === undefined ? null : new Date(ms).toISOString());

const app = fastify({ logger: false });
app.get(
  "/v1/connections/:platform/:user_id",
  { schema: { params, response: { 200: connection } } },
  async (request, reply) => {
    const { platform, user_id } = request.params;
    const { statusCode, body } = await pod.request({
      method: "GET",
      path: `/pod/v1/connection/user/${user_id}/info`,
      headers: { sessionToken: request.headers.sessiontoken, accept: "application/json" },
    });
    if (statusCode !== 200 && statusCode !== 404) {
      await body.dump();
      return reply.code(502).send({ error: "platform" });
    }
    const found = await body.json();
    const native = statusCode === 200 ? found.status : null;
    const status = native === null ? "none" : STATUS[native];
    return {
      platform,
      user_id,
      status,
      native_status: native,
      actions: ACTIONS[status],
      first_requested_at: rfc3339(found.firstRequestedAt),
      updated_at: rfc3339(found.updatedAt),
      request_count: found.requestCounter ?? null,
      as_of: new Date().toISOString(),
      stale: false,
    };
  },
);
await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
