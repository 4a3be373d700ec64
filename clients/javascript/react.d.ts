import type { ReactElement, ReactNode } from "react";
import type { Action, CallOptions, Connection, ConnectionState, Gateway } from "./gateway.js";

/** Gives `gateway` to the hooks below it. Create it once, outside of components. */
export function GatewayProvider(properties: { gateway: Gateway; children?: ReactNode }): ReactElement;

/** Returns the gateway of the nearest `GatewayProvider`. */
export function useGateway(): Gateway;

export interface UsedConnection extends ConnectionState {
  /** Sends an action. A failure also appears in `problem`, so the promise may be ignored. */
  act(action: Action, options?: CallOptions): Promise<Connection>;
}

/**
 * Returns what is known of a user and renders again when it changes. All users of one render are looked up in one
 * request, and share what they know with the `<connection-status>` elements of the same gateway.
 */
export function useConnection(platform: string, userId: string | bigint): UsedConnection;
