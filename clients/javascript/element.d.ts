import type { Action, Connection, Gateway, Status } from "./gateway.js";

export * from "./gateway.js";

/** The texts of one language. Problems are looked up by slug, then by HTTP status, then as `failed`. */
export interface Words extends Record<Status | Action, string> {
  loading: string;
  /** The button that removes after `remove` was pressed. */
  confirm: string;
  /** The button that does not. */
  keep: string;
  retry: string;
  stale: string;
  failed: string;
  [slugOrStatus: string]: string;
}

/**
 * The texts by language. The nearest `lang` decides; what a language lacks is taken from its first subtag, then from
 * `en`. Change it in the module that imports it, before the elements are drawn.
 */
export const words: { en: Words; [language: string]: Partial<Words> };

/** `<connection-status platform="…" user-id="…" label="…">` */
export class ConnectionStatus extends HTMLElement {
  /** The gateway of all elements that have none of their own. At first, the one that served this file. */
  static gateway: Gateway;

  platform: string;
  get userId(): string;
  set userId(userId: string | bigint);
  /** The user's name. It is part of what screen readers say, and not shown. */
  label: string;
  /** The gateway of this element; default: `ConnectionStatus.gateway`. */
  gateway: Gateway;
  /** What is shown. A page that knows the connection already sets it, and no call is made. */
  get connection(): Connection | null;
  set connection(connection: Connection | null | undefined);
}

declare global {
  interface HTMLElementTagNameMap {
    "connection-status": ConnectionStatus;
  }
  interface GlobalEventHandlersEventMap {
    "connection-change": CustomEvent<Connection>;
    "connection-problem": CustomEvent<Error>;
  }
}
