/**
 * Makes `npm start` and `npm test` work from a fresh clone: installs what package-lock.json names and checks that the
 * Node that runs our TypeScript is really there. Plain JavaScript, since it has to run on the Node 20 that a person may
 * have. Does nothing, and says nothing, when all is in place.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const modules = path.join(root, "node_modules");
const nodePackage = path.join(modules, "node");
const node = path.join(nodePackage, "bin", "node");

if (!isInstalled()) {
  console.log(
    "Installing the packages that package-lock.json names (npm ci; about a minute the first time) ...",
  );
  // Development packages too, even where NODE_ENV=production is set.
  npm(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
}
if (!nodeWorks()) {
  // The package `node` fetches its binary in an install script, which npm's install-script policy may have blocked.
  console.log("Fetching the Node that runs Bosun ...");
  run(process.execPath, ["installArchSpecificPackage.js"], nodePackage);
  if (!nodeWorks())
    fail(`${path.relative(root, node)} does not run. Run: npm rebuild node --allow-scripts=node`);
}
const link = path.join(modules, ".bin", "node");
if (!existsSync(link)) {
  mkdirSync(path.dirname(link), { recursive: true });
  symlinkSync("../node/bin/node", link);
}

/** Whether node_modules holds every package of package-lock.json at its version, by npm's own record of what it installed. */
function isInstalled() {
  const installed = packagesOf(path.join(modules, ".package-lock.json"));
  if (installed === undefined) return false;
  const wanted = packagesOf(path.join(root, "package-lock.json"));
  if (wanted === undefined)
    fail("package-lock.json is missing or not JSON. Run: git checkout package-lock.json");
  return Object.entries(wanted).every(
    ([name, { version, optional }]) =>
      name === "" ||
      (installed[name] === undefined ? optional === true : installed[name].version === version),
  );
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    // Missing or cut short by an interrupted install: both mean "not installed".
    return undefined;
  }
}

function nodeWorks() {
  return spawnSync(node, ["--version"], { stdio: "ignore" }).status === 0;
}

function npm(args) {
  run("npm", args, root);
}

function run(command, args, cwd) {
  // Without our own node_modules/.bin in PATH: npm must not run on a Node that it is about to replace.
  const env = { ...process.env, PATH: (process.env.PATH ?? "").split(":").filter(isForeign).join(":") };
  const { status, error } = spawnSync(command, args, { cwd, env, stdio: ["ignore", "ignore", "inherit"] });
  if (error !== undefined)
    fail(`${command} could not be started: ${error.message}. Install Node 20 or newer with npm.`);
  if (status !== 0) fail(`${command} ${args.join(" ")} failed in ${cwd}. Its messages are above.`);
}

function isForeign(folder) {
  return !path.resolve(folder).endsWith(path.join("node_modules", ".bin"));
}

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}
