export type Status = "connected" | "pending_incoming" | "pending_outgoing" | "rejected" | "none";
export type Action = "request" | "accept" | "reject" | "cancel" | "remove";

/** The viewer's connection with one user, as the gateway answers it. */
export interface Connection {
  platform: string;
  /** Decimal digits; a number of JavaScript can't hold every user id. */
  user_id: string;
  status: Status;
  native_status: string | null;
  /** What the viewer can do next. */
  actions: Action[];
  first_requested_at: string | null;
  updated_at: string | null;
  request_count: number | null;
  /** When the platform said so. */
  as_of: string;
  /** True only where the platform could not be asked and this is an older answer. */
  stale: boolean;
}

export interface Platform {
  name: string;
  adapter: string;
  credentials: string;
  actions: Action[];
  health: "up" | "degraded" | "down";
}

/** The gateway's answer that a call failed, with the fields of RFC 9457. */
export class GatewayProblem extends Error {
  /** `/problems/<slug>`, or `about:blank` where something in front of the gateway answered. */
  readonly type: string;
  readonly slug: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** The request id. */
  readonly instance?: string;
  readonly retryable?: boolean;
  readonly platform?: string;
  readonly user_id?: string;
  /** Seconds. */
  readonly retry_after?: number;
  readonly connection?: Connection;
}

/** No answer came: the network failed, the timeout passed, or what answered is no gateway. */
export class GatewayUnreachable extends Error {}

/** What is known of one user. A new object for every change. */
export interface ConnectionState {
  readonly connection: Connection | null;
  readonly problem: Error | null;
  readonly isLoading: boolean;
  /** The action that is in flight. */
  readonly acting: Action | null;
}

export interface GatewayOptions {
  /** Sent with every call. A function is called for each, and once more, with `refused: true`, after a 401. */
  headers?: HeadersInit | ((reason: { refused: boolean }) => HeadersInit | Promise<HeadersInit>);
  /** Milliseconds for one call with its repetitions; default 10,000. */
  timeout?: number;
}

/** An abort takes only this caller away: a shared request, or an action that was sent, runs on. */
export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export class Gateway {
  /** `url` is the address below which the gateway's `/v1` lies; default: the page's own origin. */
  constructor(url?: string | URL, options?: GatewayOptions);

  /** Returns the connection, or rejects with a `GatewayProblem`. Lookups of one task leave as one request. */
  lookup(platform: string, userId: string | bigint, options?: CallOptions): Promise<Connection>;

  /** Returns a connection or a problem for each user, in the same order. Takes any number of users. */
  lookupMany(
    users: readonly Pick<Connection, "platform" | "user_id">[],
    options?: CallOptions,
  ): Promise<(Connection | GatewayProblem)[]>;

  /**
   * Yields the connections of all pages; without `status`, the pending ones. Throws an `AggregateError` of problems
   * at the end if a platform failed, unless `onProblem` takes them.
   */
  connections(options?: CallOptions & {
    platform?: string | string[];
    status?: Exclude<Status, "none"> | "all" | Exclude<Status, "none">[];
    userId?: string | string[];
    /** Connections per page. */
    limit?: number;
    onProblem?: (problem: GatewayProblem) => void;
  }): AsyncGenerator<Connection, void, undefined>;

  /** Returns the connection after the action. Of the actions on one user one runs and at most one, the latest, waits. */
  act(platform: string, userId: string | bigint, action: Action, options?: CallOptions): Promise<Connection>;

  platforms(options?: CallOptions): Promise<Platform[]>;

  /** Takes connections that the page knows already, so that showing them costs no call. */
  prime(connections: Iterable<Connection>): void;

  /** Returns what is known of a user, without a call. */
  state(platform: string, userId: string | bigint): ConnectionState;

  /** Calls `listener` at every change, looks the user up if nothing is known yet, and returns how to stop. */
  subscribe(platform: string, userId: string | bigint, listener: (state: ConnectionState) => void): () => void;

  /** Looks up every subscribed user again whose lookup or action failed, or whose connection is stale. */
  retry(): void;

  /** Drops all that is known, as it happens by itself when the credentials in `headers` change. */
  forget(): void;
}
