// See gateway.d.ts and README.md.

const IDENTITY = ["authorization", "sessiontoken", "x-api-key", "x-on-behalf-of", "x-platform-token"];
const LARGEST_BATCH = 1000;
const VALID = /^[a-z][a-z\d-]{0,31}\/[1-9]\d{0,18}$/;
const UNKNOWN = { connection: null, problem: null, isLoading: true, acting: null };

const keyOf = (platform, userId) => [platform, userId].map(encodeURIComponent).join("/");

export class GatewayProblem extends Error {
  constructor(document) {
    super(document.detail || document.title);
    Object.assign(this, document, { name: "GatewayProblem", slug: document.type.split("/").pop() });
  }
}

export class GatewayUnreachable extends Error {
  name = "GatewayUnreachable";
}

function deferred(fields) {
  fields.promise = new Promise((resolve, reject) => Object.assign(fields, { resolve, reject }));
  fields.promise.catch(() => {});
  return fields;
}

function abortable(promise, signal, onAbort) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      onAbort?.();
      reject(signal.reason);
    };
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort);
    promise.then(resolve, reject).finally(() => signal?.removeEventListener("abort", abort));
  });
}

export class Gateway {
  #url;
  #headers;
  #timeout;
  #users = new Map();
  #lookups = new Map();
  #queue = [];
  #count = 0;
  #latest = 0;
  #identity;
  #renewal;

  constructor(url = "", { headers = {}, timeout = 10_000 } = {}) {
    this.#url = String(url).replace(/\/+$/, "");
    this.#headers = headers;
    this.#timeout = timeout;
  }

  lookup(platform, userId, { signal } = {}) {
    const lookup = this.#enqueue(platform, userId);
    lookup.callers += 1;
    return abortable(lookup.promise, signal, () => { lookup.callers -= 1; });
  }

  lookupMany(users, options) {
    return Promise.all(users.map((user) => this.lookup(user.platform, user.user_id, options).catch((error) => {
      if (error instanceof GatewayProblem) return error;
      throw error;
    })));
  }

  async *connections({ platform, status, userId, limit, signal, onProblem } = {}) {
    const problems = [];
    let cursor;
    do {
      const query = new URLSearchParams();
      for (const [name, values] of Object.entries({ platform, status, user_id: userId, limit, cursor })) {
        for (const value of [values ?? []].flat()) query.append(name, value);
      }
      const page = await abortable(this.#call(this.#begin(), "GET", `/v1/connections?${query}`), signal);
      yield* page.connections;
      for (const each of page.errors) (onProblem ?? ((problem) => problems.push(problem)))(new GatewayProblem(each));
      cursor = page.next_cursor;
    } while (cursor);
    if (problems.length) throw new AggregateError(problems, "a platform failed");
  }

  async platforms({ signal } = {}) {
    return (await abortable(this.#call(this.#begin(), "GET", "/v1/platforms"), signal)).platforms;
  }

  act(platform, userId, action, { signal } = {}) {
    const user = this.#user(platform, userId);
    if (user.waiting?.action !== action) {
      user.waiting?.reject(new DOMException("replaced by a newer action", "AbortError"));
      user.waiting = null;
    }
    let job = user.running?.action === action ? user.running : user.waiting;
    if (!job) {
      job = deferred({ action });
      if (user.running) user.waiting = job;
      else this.#run(user, job);
    }
    return abortable(job.promise, signal);
  }

  state(platform, userId) {
    return this.#users.get(keyOf(platform, userId))?.state ?? UNKNOWN;
  }

  subscribe(platform, userId, listener) {
    const user = this.#user(platform, userId);
    user.listeners.add(listener);
    if (!user.state.connection && !user.state.problem) this.#load(user);
    return () => {
      user.listeners.delete(listener);
      setTimeout(() => this.#release(user));
    };
  }

  prime(connections) {
    for (const connection of connections) {
      const user = this.#user(connection.platform, connection.user_id);
      const isOlder = user.state.connection?.as_of > connection.as_of;
      if (!isOlder && !user.running) this.#update(user, { connection, problem: null, isLoading: false });
    }
  }

  retry() {
    for (const user of this.#users.values()) {
      if (user.listeners.size && (user.state.problem || user.state.connection?.stale)) this.#load(user);
    }
  }

  forget() {
    this.#forget(null);
  }

  #user(platform, userId) {
    const key = keyOf(platform, userId);
    let user = this.#users.get(key);
    if (!user) {
      user = { key, platform, userId, state: UNKNOWN, listeners: new Set() };
      this.#users.set(key, user);
    }
    return user;
  }

  #release(user) {
    if (!user.listeners.size && !user.running && this.#users.get(user.key) === user) this.#users.delete(user.key);
  }

  #update(user, changes) {
    user.state = { ...user.state, ...changes };
    for (const listener of [...user.listeners]) listener(user.state);
  }

  #load(user) {
    if (!user.state.isLoading) this.#update(user, { isLoading: true });
    this.#enqueue(user.platform, user.userId);
  }

  #enqueue(platform, userId) {
    const key = keyOf(platform, userId);
    let lookup = this.#lookups.get(key);
    if (!lookup) {
      lookup = deferred({ key, callers: 0, user: { platform, user_id: `${userId}` } });
      this.#lookups.set(key, lookup);
      if (this.#queue.push(lookup) === 1) setTimeout(() => this.#flush());
    }
    return lookup;
  }

  #flush() {
    const wanted = this.#queue.splice(0).filter((lookup) => {
      const { key, user } = lookup;
      const known = this.#users.get(key);
      lookup.isOutdated = !lookup.callers && !(known?.listeners.size && known.state.isLoading);
      if (!lookup.isOutdated && VALID.test(key)) return true;
      this.#settle(lookup, new GatewayProblem({ type: "/problems/invalid-request", title: "invalid user", status: 400, ...user }));
      return false;
    });
    while (wanted.length) this.#send(wanted.splice(0, LARGEST_BATCH));
  }

  async #send(lookups) {
    const call = this.#begin(true);
    for (const lookup of lookups) lookup.call = call;
    try {
      while (lookups.length) {
        const users = lookups.map((lookup) => lookup.user);
        const { results } = await this.#call(call, "POST", "/v1/lookup", { users });
        const answers = results.map((each) => each.connection ?? new GatewayProblem(each.error));
        const problems = answers.filter((answer) => answer instanceof GatewayProblem);
        const cause = problems.find((each) => each.status === 401) ?? problems.find((each) => each.retry_after >= 0);
        const alike = problems.filter((each) => each.status === cause?.status);
        const repeat = cause && this.#mayRepeat(call, alike);
        lookups = lookups.filter((lookup, index) => {
          const isRepeated = repeat && alike.includes(answers[index]);
          if (!isRepeated) this.#settle(lookup, answers[index]);
          return isRepeated;
        });
        await repeat;
      }
    } catch (error) {
      for (const lookup of lookups) this.#settle(lookup, error);
    }
  }

  #settle(lookup, answer) {
    if (this.#lookups.get(lookup.key) === lookup) this.#lookups.delete(lookup.key);
    const user = this.#users.get(lookup.key);
    const isFailure = answer instanceof Error;
    if (user && !lookup.isOutdated) {
      let connection = answer;
      if (isFailure) connection = [401, 403, 404].includes(answer.status) ? null : user.state.connection;
      this.#update(user, { connection, problem: isFailure ? answer : null, isLoading: false });
    }
    if (isFailure) lookup.reject(answer);
    else lookup.resolve(answer);
  }

  #outdate(key) {
    const lookup = this.#lookups.get(key);
    if (!lookup) return;
    lookup.isOutdated = true;
    this.#lookups.delete(key);
  }

  async #run(user, job) {
    user.running = job;
    this.#outdate(user.key);
    this.#update(user, { acting: job.action, problem: null });
    const path = `/v1/connections/${user.key}`;
    let connection;
    let problem = null;
    try {
      job.call = this.#begin();
      connection = await this.#call(job.call, "POST", `${path}/${job.action}`);
    } catch (error) {
      problem = error;
      connection = error.connection;
      if (error.slug === "outcome-unknown" || error instanceof GatewayUnreachable) {
        connection = await this.#call((job.call = this.#begin()), "GET", path, null, "no-store").catch(() => null);
        if (connection && !connection.actions.includes(job.action)) problem = null;
      }
    }
    user.running = null;
    this.#outdate(user.key);
    if (!job.isOutdated) {
      connection ??= user.state.connection;
      this.#update(user, { connection, problem, acting: null, isLoading: false });
    } else if (user.listeners.size) this.#load(user);
    if (problem) job.reject(problem);
    else job.resolve(connection);
    const next = user.waiting;
    user.waiting = null;
    if (next) this.#run(user, next);
    else this.#release(user);
  }

  #begin(mayWait) {
    return { deadline: performance.now() + this.#timeout, mayWait, wasRefused: false, number: 0 };
  }

  async #call(call, method, path, body, cache) {
    for (;;) {
      const headers = await this.#authenticate(call);
      if (body) headers.set("content-type", "application/json");
      let response;
      let answer;
      try {
        response = await fetch(this.#url + path, {
          method,
          headers,
          body: body && JSON.stringify(body),
          cache,
          redirect: "error",
          signal: AbortSignal.timeout(Math.max(0, Math.ceil(call.deadline - performance.now()))),
        });
        answer = await response.json();
      } catch {
        // what fetch says may quote a header
      }
      if (response?.ok && answer) return answer;
      if (!response || response.ok) throw new GatewayUnreachable("no answer");
      const problem = new GatewayProblem(answer?.type ? answer : {
        type: "about:blank", title: `HTTP status ${response.status}`, status: response.status,
      });
      const repeat = this.#mayRepeat(call, [problem]);
      if (!repeat) throw problem;
      await repeat;
    }
  }

  #mayRepeat(call, problems) {
    if (problems[0].status === 401) {
      if (call.wasRefused || typeof this.#headers !== "function") return null;
      call.wasRefused = true;
      return Promise.resolve();
    }
    const wait = Math.max(...problems.map((each) => each.retry_after ?? 0)) * 1000;
    if (!call.mayWait || !problems[0].retry_after || performance.now() + wait >= call.deadline) return null;
    call.mayWait = false;
    return new Promise((resolve) => setTimeout(resolve, wait));
  }

  async #authenticate(call) {
    let given = this.#renewal;
    if (!call.wasRefused || !(given?.number > call.number)) {
      given = { number: ++this.#count, headers: this.#readHeaders(call.wasRefused) };
      if (call.wasRefused) this.#renewal = given;
    }
    call.number = given.number;
    const headers = new Headers(await given.headers);
    const identity = JSON.stringify(IDENTITY.map((name) => headers.get(name)));
    if (call.number > this.#latest) {
      const hasChanged = this.#latest && this.#identity !== identity;
      this.#latest = call.number;
      this.#identity = identity;
      if (hasChanged) this.#forget(call);
    }
    return headers;
  }

  async #readHeaders(refused) {
    const given = typeof this.#headers === "function" ? await this.#headers({ refused }) : this.#headers;
    try {
      return new Headers(given);
    } catch {
      throw new TypeError("invalid headers");
    }
  }

  #forget(call) {
    for (const lookup of [...this.#lookups.values()]) {
      if (lookup.call && lookup.call !== call) this.#outdate(lookup.key);
    }
    for (const user of [...this.#users.values()]) {
      user.state = UNKNOWN;
      if (user.running) user.running.isOutdated = user.running.call !== call;
      else if (user.listeners.size) this.#load(user);
      else this.#release(user);
      for (const listener of [...user.listeners]) listener(user.state);
    }
  }
}
