// What there is to say of the npm package, as JSON: its files, what publint and attw find, and where types and code differ.
//   node package.mjs MODULES CLIENT TARBALL
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, client, tarball] = process.argv.slice(2);
const { resolve } = createRequire(`${modules}/`);
const load = (name) => import(pathToFileURL(resolve(name)));
const { publint } = await load("publint");
const { checkPackage, createPackageFromTarballData } = await load("@arethetypeswrong/core");
const { default: ts } = await load("typescript");

const packed = readFileSync(tarball);
const { messages } = await publint({ strict: true, pack: { tarball: packed.buffer.slice(packed.byteOffset, packed.byteOffset + packed.length) } });
const { problems } = await checkPackage(createPackageFromTarballData(packed));
const isForModules = ({ resolutionKind = "" }) => !["node10", "node16-cjs"].includes(resolutionKind);  // there is no CommonJS

/** The values that a declaration file promises, and the public members of each class. */
function declared(file) {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest);
  const found = {};
  for (const node of source.statements) {
    const isExported = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    if (!isExported) continue;
    if (ts.isVariableStatement(node)) found[node.declarationList.declarations[0].name.text] = [];
    if (ts.isFunctionDeclaration(node)) found[node.name.text] = [];
    if (ts.isClassDeclaration(node)) {
      const members = node.members.filter(({ name, modifiers = [] }) => (
        name && !modifiers.some(({ kind }) => [ts.SyntaxKind.StaticKeyword, ts.SyntaxKind.ReadonlyKeyword].includes(kind))));
      found[node.name.text] = [...new Set(members.map(({ name }) => name.text))].sort();
    }
  }
  return found;
}

/** The same of the code, without what the platform calls. */
function real(module, names) {
  return Object.fromEntries(names.map((name) => {
    const of = module[name]?.prototype ? Object.getOwnPropertyNames(module[name].prototype) : [];
    return [name, of.filter((each) => each !== "constructor" && !each.endsWith("Callback")).sort()];
  }));
}

Object.assign(globalThis, { HTMLElement: class {}, CSSStyleSheet: class { replaceSync() {} }, customElements: { get: () => true } });
const differ = [];
const own = { gateway: [], watch: [], element: ["words", "ConnectionStatus"] };
for (const name of Object.keys(own)) {
  const module = await import(pathToFileURL(`${client}/${name}.js`));
  const types = declared(`${client}/${name}.d.ts`);
  const names = name === "element" ? own.element : Object.keys(module);
  if (JSON.stringify(types) !== JSON.stringify(real(module, Object.keys(types)))) differ.push([types, real(module, Object.keys(types))]);
  if ([...names].sort().join() !== Object.keys(types).sort().join()) differ.push([names, Object.keys(types)]);
}
console.log(JSON.stringify({ publint: messages, attw: problems.filter(isForModules), differ }));
