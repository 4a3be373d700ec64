// The client's types are those of /openapi.json: each is assignable to the other.
import type { components } from "./openapi.js";
import { Gateway, type Connection, type GatewayProblem, type Platform } from "./gateway.js";

type Schemas = components["schemas"];
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Described = "type" | "title" | "status" | "detail" | "instance" | "retryable" | "platform" | "user_id" | "retry_after";

export const connection: Same<Connection, Schemas["Connection"]> = true;
export const platform: Same<Platform, Schemas["PlatformEntry"]> = true;
export const problem: Schemas["ProblemDetails"] extends Partial<Pick<GatewayProblem, Described>> ? true : false = true;

export async function right(gateway: Gateway): Promise<string[]> {
  const found = await gateway.lookup("acme", 1n);
  for await (const each of gateway.connections({ status: ["connected"] })) found.actions.push(...each.actions);
  const many = await gateway.lookupMany([found]);
  return many.map((each) => (each instanceof Error ? each.slug : each.status));
}
