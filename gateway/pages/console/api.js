// Calls that gateway.js has no method for: an explained lookup, the caller's rights, and the metrics.

import { GatewayProblem, GatewayUnreachable } from "../client/gateway.js";

const PATIENCE = 10_000;

export class Api {
  /** `base` is the gateway's address with a slash at its end; `headers()` says who asks. */
  constructor(base, headers) {
    this.base = base;
    this.#headers = headers;
  }

  #headers;

  /** The JSON of an answer; a problem is thrown, with all fields of its document. */
  async json(path, more = {}) {
    const response = await this.#get(path, { ...this.#headers(), ...more });
    const document = await response.json().catch(() => null);
    if (response.ok && document) return document;
    if (!document?.type) throw new GatewayUnreachable(`status ${response.status} without a problem`);
    throw new GatewayProblem(document);
  }

  /** The text of an answer; null if the path is not served here. */
  async text(path) {
    const response = await this.#get(path, {});
    return response.ok ? response.text() : null;
  }

  /** The page that explains a problem. */
  page(slug) {
    return `${this.base}problems/${slug}`;
  }

  async #get(path, headers) {
    try {
      return await fetch(this.base + path, {
        headers, cache: "no-store", redirect: "error", signal: AbortSignal.timeout(PATIENCE),
      });
    } catch {
      throw new GatewayUnreachable("the gateway did not answer");
    }
  }
}
