// What a compiler must not let through, one on each line below. `tsc` counts them.
import createClient from "openapi-fetch";
import type { components, paths } from "./gateway.js";

const client = createClient<paths>({ baseUrl: "http://localhost" });
export const noUser = client.GET("/v1/connections/{platform}/{user_id}", { params: { path: { platform: "acme" } } });
export const noNumber = client.GET("/v1/connections/{platform}/{user_id}", { params: { path: { platform: "acme", user_id: 102 } } });
export const noAction = client.POST("/v1/connections/{platform}/{user_id}/{action}", { params: { path: { platform: "acme", user_id: "1", action: "poke" } } });
export const noPath = client.GET("/v2/connections");
export const noStatus: components["schemas"]["Status"] = "friends";
export const noField = (found: components["schemas"]["Connection"]) => found.friend;
