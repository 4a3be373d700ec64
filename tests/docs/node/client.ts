// A client that knows of the gateway only what openapi-typescript made of its document. Prints what it reads.
//   node client.js URL PLATFORM ANOTHER
import createClient from "openapi-fetch";
import type { components, paths } from "./gateway.js";

type Connection = components["schemas"]["Connection"];

declare const process: { argv: string[] };

const client = createClient<paths>({ baseUrl: process.argv[2] ?? "" });

const [platform = "", another = ""] = process.argv.slice(3);
const found = await client.GET("/v1/connections/{platform}/{user_id}", {
  params: { path: { platform, user_id: "102" }, query: { explain: true } },
});
if (found.error) throw new Error(found.error.detail);
const status: Connection["status"] = found.data.status;
const calls: number | undefined = found.data.explain?.calls;

const missing = await client.GET("/v1/connections/{platform}/{user_id}", {
  params: { path: { platform: another, user_id: "404404" } },
});
const slug: string | undefined = missing.error?.type;

const listed = await client.GET("/v1/connections", { params: { query: { status: ["pending_incoming"], limit: 1 } } });
const next: string | null | undefined = listed.data?.next_cursor;

const many = await client.POST("/v1/lookup", { body: { users: [{ platform, user_id: "101" }, { platform, user_id: "102" }] } });
const statuses = many.data?.results.map((each) => ("connection" in each ? each.connection.status : each.error.type));

const acted = await client.POST("/v1/connections/{platform}/{user_id}/{action}", {
  params: { path: { platform, user_id: "102", action: "accept" } },
});
const after: Connection["status"] | undefined = acted.data?.status;

console.log(JSON.stringify({ status, calls, slug, hasNext: typeof next === "string", statuses, after }));
