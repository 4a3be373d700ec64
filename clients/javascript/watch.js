// Watches connections. Every name is documented in watch.d.ts.
import { GatewayProblem } from "./gateway.js";

const PAUSE = 2_000;
const LONGEST_PAUSE = 30_000;
const SILENCE = 45_000;

export async function* watch(users, { url = "", headers = {}, signal } = {}) {
  const sent = new Map();
  let pause = PAUSE;
  let refused = false;
  while (!signal?.aborted) {
    const given = typeof headers === "function" ? await headers({ refused }) : headers;
    const stop = new AbortController();
    const abort = () => stop.abort();
    signal?.addEventListener("abort", abort);
    let timer = setTimeout(abort, SILENCE);
    let problem = null;
    try {
      const response = await fetch(`${String(url).replace(/\/+$/, "")}/v1/watch`, {
        method: "POST",
        headers: [...new Headers(given), ["content-type", "application/json"]],
        body: JSON.stringify({ users: users.map(({ platform, user_id }) => ({ platform, user_id: String(user_id) })) }),
        cache: "no-store",
        redirect: "error",
        signal: stop.signal,
      });
      if (response.ok) {
        pause = PAUSE;
        refused = false;
        for await (const event of events(response.body)) {
          clearTimeout(timer);
          timer = setTimeout(abort, SILENCE);
          if (event && isNew(sent, event)) yield event;
        }
      } else {
        const document = await response.json().catch(() => null);
        problem = new GatewayProblem(document?.type ? document : {
          type: "about:blank", title: `HTTP status ${response.status}`, status: response.status, retryable: response.status > 500,
        });
      }
    } catch {
      // the connection was lost, and is made again
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      stop.abort();
    }
    if (problem?.status === 401 && !refused && typeof headers === "function") {
      refused = true;
      continue;
    }
    if (problem && !problem.retryable) throw problem;
    await sleep(Math.max((problem?.retry_after ?? 0) * 1000, pause * (0.5 + Math.random() / 2)), signal);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}

/** The states in a stream; null for whatever else comes, which shows that it is alive. */
async function* events(body) {
  let text = "";
  for await (const part of iterate(body.pipeThrough(new TextDecoderStream()))) {
    const blocks = (text + part).split("\n\n");
    text = blocks.pop();
    yield null;
    for (const block of blocks) {
      const [, name, data] = /^event: (.*?)\ndata: (.*)$/s.exec(block) ?? [];
      if (name === "connection") yield JSON.parse(data);
      if (name === "problem") yield new GatewayProblem(JSON.parse(data));
    }
  }
}

/** Not every browser iterates over streams. */
async function* iterate(stream) {
  const reader = stream.getReader();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
  } finally {
    reader.cancel().catch(() => {});
  }
}

function isNew(sent, event) {
  const key = `${event.platform}/${event.user_id}`;
  const content = event.slug ?? JSON.stringify({ ...event, as_of: null });
  if (sent.get(key) === content) return false;
  sent.set(key, content);
  return true;
}

function sleep(milliseconds, signal) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, milliseconds);
    signal?.addEventListener("abort", wake);
  });
}
