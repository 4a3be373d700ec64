import type { Connection, GatewayOptions, GatewayProblem } from "./gateway.js";

export interface WatchOptions {
  /** The address below which the gateway's `/v1` lies; default: the page's own origin. */
  url?: string | URL;
  /** As of a `Gateway`: asked for each stream, and once more, with `refused: true`, after a 401. */
  headers?: GatewayOptions["headers"];
  /** Ends it. */
  signal?: AbortSignal | undefined;
}

/**
 * Yields the state of each of up to 1,000 users, and then each change: a connection, or a problem. A stream that ends
 * is begun again, and nothing is yielded twice. Throws the problem of a call that is refused as a whole.
 */
export function watch(
  users: readonly { readonly platform: string; readonly user_id: string | bigint }[],
  options?: WatchOptions,
): AsyncGenerator<Connection | GatewayProblem, void, undefined>;
