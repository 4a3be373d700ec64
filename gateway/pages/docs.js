// Renders /openapi.json: every call with what it takes, what it answers, a curl line, and a form that makes it.
// What comes from the document becomes text, never markup. Secrets stay in the fields that they are typed into.

const here = new URL(".", location.href);
const ON_BEHALF = "X-On-Behalf-Of";
const BASE = here.href.replace(/\/$/, "");

/** An element with its attributes and what is in it; text stays text. */
function el(name, attributes = {}, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in element && typeof value !== "string") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...inside.flat());
  return element;
}

/** Markdown as far as the document has it: `code`, **strong**, *stress*, [links](to), paragraphs, lists. */
function inline(text) {
  const parts = text.split(/(`[^`]+`|\*\*[^*]+\*\*|\*[^*]+\*|\[(?:[^\]])+\]\([^)]+\))/);
  return parts.filter(Boolean).flatMap((part) => {
    if (part.startsWith("`")) return el("code", {}, part.slice(1, -1));
    if (part.startsWith("**")) return el("strong", {}, part.slice(2, -2));
    if (part.startsWith("*") && part.length > 2) return el("em", {}, part.slice(1, -1));
    const link = part.match(/^\[(.+)\]\((.+)\)$/);
    return link ? el("a", { href: local(link[2]) }, inline(link[1])) : part;
  });
}

function prose(text = "") {
  return text.split(/\n\n+/).filter(Boolean).map((block) => {
    const lines = block.split("\n");
    if (!lines[0].startsWith("- ")) return el("p", {}, inline(block));
    return el("ul", {}, lines.map((line) => el("li", {}, inline(line.slice(2)))));
  });
}

/** A path of the gateway's, seen from this page. */
function local(path) {
  return path.startsWith("/") ? BASE + path : path;
}

/** Roles are said, because on a narrow screen the style takes them away; there each cell is told its column. */
function table(heads, rows) {
  const head = el("thead", { role: "rowgroup" },
    el("tr", { role: "row" }, heads.map((each) => el("th", { scope: "col", role: "columnheader" }, each))));
  const body = rows.map(([first, ...others]) => el("tr", { role: "row" },
    el("th", { scope: "row", role: "rowheader" }, first),
    others.map((each, place) => el("td", { role: "cell", "data-column": heads[place + 1] }, each))));
  return el("table", { role: "table" }, head, el("tbody", { role: "rowgroup" }, body));
}

/** Text as it stands, which can be reached by keyboard, because it may have to be scrolled. */
function block(what, text) {
  return el("pre", { tabindex: "0", role: "region", "aria-label": what }, text);
}

// types

function named(schema) {
  return schema.$ref?.split("/").pop();
}

/** A type in words, with links to those that have a name. */
function type(schema) {
  const name = named(schema);
  if (name) return [el("a", { href: `#type-${name}` }, name)];
  const several = schema.anyOf || schema.oneOf;
  if (several) return several.flatMap((each, place) => [...(place ? [" or "] : []), ...type(each)]);
  if (schema.type === "array") return ["list of ", ...type(schema.items || {})];
  if (schema.enum) return [schema.enum.join(", ")];
  if ("const" in schema) return [String(schema.const)];
  return [schema.format === "date-time" ? "time" : schema.type || "anything"];
}

function meaning(schema) {
  const bounds = ["minimum", "maximum", "minItems", "maxItems", "default"].filter((key) => key in schema);
  const words = { minimum: "at least", maximum: "at most", minItems: "at least", maxItems: "at most", default: "without it" };
  const said = bounds.map((key) => `${words[key]} ${[].concat(schema[key]).join(", ")}`).join(", ");
  return [...inline(schema.description || ""), said ? ` (${said})` : ""];
}

function fields(schema) {
  const rows = Object.entries(schema.properties).map(([name, each]) => [
    el("code", {}, name),
    type(each),
    schema.required?.includes(name) ? "always" : "if it applies",
    meaning(each),
  ]);
  return table(["Field", "Type", "Present", "Meaning"], rows);
}

function typeSection(name, schema) {
  const words = schema.enum ? el("p", {}, schema.enum.flatMap((word) => [el("code", {}, word), " "])) : "";
  const what = schema.properties ? fields(schema) : words;
  return el("article", { id: `type-${name}`, "aria-labelledby": `type-${name}-name` },
    el("h3", { id: `type-${name}-name` }, name), prose(schema.description), what);
}

// what is sent

/** One field of a form; `read()` is what stands in it. */
function input(id, name, schema, { secret = false, example, required = false, prefilled = false, api }) {
  const target = named(schema) ? api.components.schemas[named(schema)] : schema;
  const words = target.type === "boolean" ? ["true", "false"] : target.enum;
  const many = target.type === "array";
  const several = many && target.items.enum;
  const shown = many ? [].concat(example ?? []).join("\n") : String(example ?? "");
  let control;
  if (several) control = el("select", { multiple: true, size: several.length }, several.map((each) => el("option", {}, each)));
  else if (words) control = el("select", {}, ["", ...words].map((each) => el("option", {}, each)));
  else if (many) control = el("textarea", { rows: "2", placeholder: shown });
  else control = el("input", { type: secret ? "password" : "text", placeholder: shown, autocomplete: "off" });
  control.id = id;
  if (prefilled) control.value = shown;
  control.required = required;
  control.spellcheck = false;
  if (name === "platform" && !many) control.setAttribute("list", "platforms");
  const how = several ? " (any of these)" : many ? " (one on each line)" : required ? " (needed)" : "";
  const label = el("label", { for: id }, el("code", {}, name), how, control);
  const lines = () => control.value.split("\n").map((each) => each.trim()).filter(Boolean);
  const chosen = () => [...control.selectedOptions].map((each) => each.value);
  const read = several ? chosen : many ? lines : () => control.value.trim();
  return { name, label, control, read };
}

/** Who asks, as the document's security schemes have it, and on whose behalf: shared by all calls. */
function identities(api) {
  const schemes = Object.entries(api.components.securitySchemes).map(([key, scheme]) => {
    const header = scheme.type === "http" ? "Authorization" : scheme.name;
    const prefix = scheme.type === "http" ? `${scheme.scheme[0].toUpperCase()}${scheme.scheme.slice(1)} ` : "";
    const variable = (prefix ? key : header).replace(/([a-z])([A-Z])/g, "$1_$2").replace(/-/g, "_").toUpperCase();
    const field = input(`who-${key}`, header, { type: "string" }, { secret: true, api });
    const without = prefix ? ` Without the word \`${prefix.trim()}\`, which is added.` : "";
    field.label.append(el("small", {}, ...inline((scheme.description || "") + without)));
    return { key, header, prefix, variable, field, isFor: (call) => call.schemes.has(key) };
  });
  return [...schemes, onBehalfOf(api)];
}

/** The viewer whom a call names: no secret, so it stands in the curl line as it is. */
function onBehalfOf(api) {
  const isIt = ({ name }) => name === ON_BEHALF;
  const operations = Object.values(api.paths).flatMap((methods) => Object.values(methods));
  const { schema, description, example } = operations.flatMap(({ parameters }) => parameters).find(isIt);
  const field = input("who-onBehalfOf", ON_BEHALF, schema, { example, api });
  field.label.append(el("small", {}, ...inline(description)));
  return { key: "onBehalfOf", header: ON_BEHALF, prefix: "", field, isFor: (call) => call.operation.parameters.some(isIt) };
}

function quoted(text) {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

/** What a form says, as a request; secrets as they are, and as variables of a shell. */
function request(call, inputs, body, who) {
  let path = call.path;
  const query = new URLSearchParams();
  const headers = [];
  for (const { name, where, read } of inputs) {
    const value = read();
    if (where === "path") path = path.replace(`{${name}}`, value ? encodeURIComponent(value) : name.toUpperCase());
    else if (where === "query") [].concat(value).filter(Boolean).forEach((each) => query.append(name, each));
    else if (value) headers.push([name, value]);
  }
  const given = who.filter(({ isFor, field }) => isFor(call) && field.read());
  const url = `${BASE}${path}${query.size ? `?${query}` : ""}`;
  const text = body?.value;
  if (text !== undefined) headers.push(["Content-Type", "application/json"]);
  const curl = [
    "curl -s",
    call.method === "GET" ? "" : `-X ${call.method}`,
    quoted(url),
    ...given.map(({ header, prefix, variable, field }) =>
      variable ? `-H "${header}: ${prefix}$${variable}"` : `-H ${quoted(`${header}: ${field.read()}`)}`),
    ...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    text === undefined ? "" : `--data-raw ${quoted(text)}`,
  ].filter(Boolean).join(" ");
  const all = [...headers, ...given.map(({ header, prefix, field }) => [header, prefix + field.read()])];
  return { url, curl, init: { method: call.method, headers: all, body: text, credentials: "omit" } };
}

// what comes back

/** `again` is given the cursor of the next page, where the answer has one. */
async function send(call, made, into, again) {
  const [line, rest] = into.children;
  line.replaceChildren("Waiting for the answer…");
  rest.replaceChildren();
  into.events?.cancel();
  const begun = performance.now();
  try {
    const answer = await fetch(made.url, made.init);
    const status = el("strong", { class: answer.ok ? "good" : "bad" }, `${answer.status} ${answer.statusText}`);
    if (answer.headers.get("content-type") === "text/event-stream") {
      line.replaceChildren(status, ` after ${Math.round(performance.now() - begun)} ms`);
      await follow(call, answer, into);
      return;
    }
    const text = await answer.text();
    const took = Math.round(performance.now() - begun);
    const heads = [...answer.headers].map(([name, value]) => [el("code", {}, name), value]);
    const body = pretty(text, answer.headers.get("content-type") || "");
    const page = !answer.ok && body.type ? el("p", {}, el("a", { href: local(body.type) }, `What ${body.type} means`)) : "";
    line.replaceChildren(status, ` after ${took} ms`);
    rest.replaceChildren(page, block(`Body of the answer to ${call.id}`, body.text),
      el("details", {}, el("summary", {}, "Headers of the answer"), table(["Header", "Value"], heads)));
    if (body.next) {
      const next = el("button", { type: "button", class: "second" }, "Next page");
      next.addEventListener("click", () => again(body.next));
      rest.prepend(el("p", {}, next));
    }
  } catch (error) {
    line.replaceChildren(el("span", { class: "bad" }, `There was no answer: ${error.message}`));
  }
  line.scrollIntoView({ block: "nearest" });
}

/** Shows events as they come, until one side ends the stream. */
async function follow(call, answer, into) {
  const shown = block(`Events of ${call.id}`, "");
  const reader = into.events = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  const stop = el("button", { type: "button", class: "second" }, "Stop");
  stop.addEventListener("click", () => reader.cancel());
  into.children[1].replaceChildren(el("p", {}, stop), shown);
  for (let part = await reader.read(); !part.done; part = await reader.read()) shown.append(part.value);
  stop.remove();
}

function pretty(text, kind) {
  if (!text || !kind.includes("json") || kind.includes("ndjson")) return { text };
  const found = JSON.parse(text);
  return { text: JSON.stringify(found, null, 2), type: found.type, next: found.next_cursor };
}

// one call

function callSection(call, api, who) {
  const { id, operation } = call;
  const inputs = operation.parameters.filter(({ name }) => name !== ON_BEHALF).map((each) => ({
    ...input(`${id}-${each.name}`, each.name, each.schema,
      {
        example: each.example,
        required: each.required,
        prefilled: each.in === "path" && each.name !== "platform" && call.method === "GET",
        api,
      }),
    where: each.in,
  }));
  const body = operation.requestBody && el("textarea", { id: `${id}-body`, rows: "8", spellcheck: false });
  if (body) body.textContent = JSON.stringify(operation.requestBody.content["application/json"].example, null, 2);
  const line = el("code");
  const copy = el("button", { type: "button", class: "second" }, `Copy the curl line`);
  const copied = el("span", { role: "status" });
  const result = el("div", { class: "answer" }, el("p", { role: "status" }), el("div"));
  const plain = inputs.filter(({ where }) => where !== "header");
  const headers = inputs.filter(({ where }) => where === "header");
  const form = el("form", { "aria-label": `${call.method} ${call.path}` },
    el("div", { class: "fields" }, plain.map(({ label }) => label),
      body ? el("label", { class: "wide", for: body.id }, "Body, JSON", body) : ""),
    el("details", {}, el("summary", {}, `Headers of ${id}`), el("div", { class: "fields" }, headers.map(({ label }) => label))),
    el("p", {}, el("button", { type: "submit" }, call.method === "GET" ? "Send" : `Send this ${call.method}`)));
  const show = () => { line.textContent = request(call, inputs, body, who).curl; };
  form.addEventListener("input", show);
  who.forEach(({ field }) => field.control.addEventListener("input", show));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const cursor = inputs.find(({ name }) => name === "cursor")?.control;
    send(call, request(call, inputs, body, who), result, (next) => {
      cursor.value = next;
      form.requestSubmit();
    });
  });
  copy.addEventListener("click", async () => {
    getSelection().selectAllChildren(line);
    try {
      await navigator.clipboard.writeText(line.textContent);
      copied.textContent = " Copied.";
    } catch {
      copied.textContent = " Selected: press Ctrl+C to copy it."; // a page may not where there is no TLS
    }
  });
  show();
  return {
    show,
    inputs,
    body,
    section: el("article", { id, "aria-labelledby": `${id}-name` },
      el("h3", { id: `${id}-name` }, `${call.method} `, el("code", {}, call.path)),
      el("p", {}, el("strong", {}, operation.summary)), prose(operation.description),
      sends(operation, api), answers(operation, api),
      el("h4", {}, "From a shell"),
      call.schemes.size ? el("p", {}, el("small", {}, "Secrets stand in it as variables, never as they are.")) : "",
      block(`curl line for ${call.method} ${call.path}`, line), el("p", {}, copy, copied),
      el("h4", {}, "Try it"), form, result),
  };
}

function sends(operation, api) {
  const rows = operation.parameters.map((each) => {
    const target = named(each.schema) ? api.components.schemas[named(each.schema)] : each.schema;
    const bounds = meaning({ ...target, description: "" });
    return [el("code", {}, each.name), each.in, type(each.schema), [...inline(each.description), ...bounds]];
  });
  if (operation.requestBody) {
    rows.push(["body", "JSON", type(operation.requestBody.content["application/json"].schema), ""]);
  }
  return [el("h4", {}, "What you send"), table(["Field", "Where", "Type", "Meaning"], rows)];
}

function answers(operation, api) {
  const good = [];
  const problems = [];
  for (const [status, answer] of Object.entries(operation.responses)) {
    if (!answer.content) {
      good.push(el("p", {}, el("strong", { class: "good" }, status), " ", inline(answer.description)));
    }
    for (const [kind, content] of Object.entries(answer.content || {})) {
      if (kind !== "application/problem+json") {
        const headers = Object.entries(answer.headers).map(([name, each]) =>
          [el("code", {}, name), el("code", {}, String(each.example)), inline(each.description)]);
        const example = typeof content.example === "string" ? content.example : JSON.stringify(content.example, null, 2);
        const target = api.components.schemas[named(content.schema)];
        const what = answer.description.split("\n")[0];
        good.push(el("p", {}, el("strong", { class: status === "200" ? "good" : "bad" }, status), " ", inline(what), " ",
          kind.includes("json") ? type(content.schema) : el("code", {}, kind)),
        el("details", {}, el("summary", {}, `Fields, headers and an example of ${status}`),
          target ? fields(target) : "", table(["Header", "Example", "Meaning"], headers),
          block(`Example of ${status}, ${operation.operationId}, ${kind}`, example)));
        if (answer["x-ndjson"]) {
          const lines = answer["x-ndjson"];
          good.push(el("p", {}, el("strong", { class: "good" }, status), " In lines, each ", type(lines.schema)),
            el("details", {}, el("summary", {}, `Example of ${status} in lines`),
              block(`Example of ${status} in lines, ${operation.operationId}`, lines.example)));
        }
        if (answer["x-events"]) {
          good.push(el("p", {}, "Events: ", Object.entries(answer["x-events"]).flatMap(([name, schema], place) =>
            [place ? ", " : "", el("code", {}, name), " with ", ...type(schema)])));
        }
      } else {
        for (const slug of Object.keys(content.examples)) {
          const { summary } = api.components.examples[slug];
          problems.push([el("a", { href: local(`/problems/${slug}`) }, slug), status, summary]);
        }
      }
    }
  }
  return [el("h4", {}, "What comes back"), ...good,
    el("details", {}, el("summary", {}, `Problems of ${operation.operationId} (${problems.length})`),
      table(["Problem", "Status", "When"], problems))];
}

// the page

/** What is configured here, as far as it may be asked for. Without it the page is as good, but for the names. */
async function platforms(rendered, who) {
  const { header, field } = who.find(({ key }) => key === "callerKey");
  const needsKey = !rendered.find(({ call }) => call.path === "/v1/platforms").call.operation.security
    .some((each) => Object.keys(each).length === 0);
  if (needsKey && !field.read()) return [];
  try {
    const headers = field.read() ? [[header, field.read()]] : [];
    const answer = await fetch(`${BASE}/v1/platforms`, { headers, credentials: "omit" });
    return answer.ok ? (await answer.json()).platforms : [];
  } catch {
    return [];
  }
}

async function suggest(rendered, who) {
  const options = document.getElementById("platforms");
  const found = await platforms(rendered, who);
  const names = found.map((each) => each.name);
  document.getElementById("here").replaceChildren(...(found.length ? ["Configured here: "] : []),
    ...found.flatMap((each, place) => [place ? ", " : "", el("code", {}, each.name),
      ` (${each.adapter}, credentials `, el("code", {}, each.credentials), ")"]));
  options.replaceChildren(...names.map((name) => el("option", { value: name })));
  for (const { inputs, body, show } of rendered) {
    for (const { name, control, where } of inputs) {
      if (names.length && where === "path" && name === "platform" && !control.value) control.value = names[0];
    }
    if (names.length && body && body.value === body.textContent) {
      const example = JSON.parse(body.value);
      (example.users ?? example.actions ?? []).forEach((each, place) => { each.platform = names[place % names.length]; });
      body.value = JSON.stringify(example, null, 2);
    }
    show();
  }
}

async function main() {
  const answer = await fetch(`${BASE}/openapi.json`, { credentials: "omit" });
  const api = await answer.json();
  const who = identities(api);
  const calls = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      id: operation.operationId,
      path,
      method: method.toUpperCase(),
      operation,
      schemes: new Set(operation.security.flatMap((each) => Object.keys(each))),
    })));
  const rendered = calls.map((call) => ({ call, ...callSection(call, api, who) }));
  const asking = el("form", { class: "fields", "aria-labelledby": "who-name" }, who.map(({ field }) => field.label));
  asking.addEventListener("submit", (event) => event.preventDefault());
  document.getElementById("version").textContent = api.info.version;
  const sections = api.tags.map((tag) => [
    el("h2", { id: `tag-${tag.name}` }, tag.name), prose(tag.description),
    rendered.filter(({ call }) => call.operation.tags.includes(tag.name)).map(({ section }) => section),
  ]);
  document.getElementById("main").replaceChildren(
    el("datalist", { id: "platforms" }),
    ...prose(api.info.description),
    el("h2", { id: "who-name" }, "Who asks"),
    el("p", { id: "here", role: "status" }),
    el("p", {}, "Leave empty what is not wanted. What you enter goes into the calls below, and nowhere else."),
    asking, ...sections.flat(2),
    el("h2", { id: "types" }, "Types"),
    ...Object.entries(api.components.schemas).map(([name, schema]) => typeSection(name, schema)));
  document.getElementById("nav").replaceChildren(el("ul", {},
    el("li", {}, el("a", { href: "#who-name" }, "Who asks")),
    api.tags.map((tag) => el("li", {}, el("a", { href: `#tag-${tag.name}` }, tag.name), el("ul", {},
      calls.filter((call) => call.operation.tags.includes(tag.name)).map((call) =>
        el("li", {}, el("a", { href: `#${call.id}` }, call.operation.summary)))))),
    el("li", {}, el("a", { href: "#types" }, "Types"))));
  who.find(({ key }) => key === "callerKey").field.control.addEventListener("change", () => suggest(rendered, who));
  await suggest(rendered, who);
  document.getElementById("main").setAttribute("aria-busy", "false");
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

main().catch((error) => {
  document.getElementById("main").replaceChildren(
    el("p", { role: "alert" }, `The description of the API could not be read: ${error.message}`));
});
