/** The check commands that a repository's own files suggest. */
/** One line each for `bash -c`. */
export interface SuggestedCommands {
  setup?: string;
  lint?: string;
  test?: string;
  build?: string;
}

/** Reads a file at the top of the repository; undefined where there is none. */
export type ReadFile = (name: string) => string | undefined;

/**
 * Commands by the first of package.json, Makefile, pyproject.toml, Cargo.toml and go.mod that has one; a later file
 * fills what the earlier leave out.
 */
export function suggestCommands(read: ReadFile): SuggestedCommands {
  const sources = [fromPackageJson, fromMakefile, fromPyproject, fromCargo, fromGo];
  return Object.assign({}, ...sources.map((source) => source(read)).reverse());
}

function fromPackageJson(read: ReadFile): SuggestedCommands {
  const manifest = json(read("package.json"));
  if (manifest === undefined) return {};
  const scripts = (manifest.scripts ?? {}) as Record<string, string>;
  const { manager, install } = packageManager(read);
  const hasPackages = ["dependencies", "devDependencies"].some(
    (key) => Object.keys((manifest[key] ?? {}) as object).length > 0,
  );
  const run = (script: string) => (script === "test" ? `${manager} test` : `${manager} run ${script}`);
  const hasTest = scripts.test !== undefined && !scripts.test.includes("no test specified");
  return {
    ...(hasPackages ? { setup: install } : {}),
    ...(scripts.lint === undefined ? {} : { lint: run("lint") }),
    ...(hasTest ? { test: run("test") } : {}),
    ...(scripts.build === undefined ? {} : { build: run("build") }),
  };
}

function packageManager(read: ReadFile): { manager: string; install: string } {
  if (read("pnpm-lock.yaml") !== undefined)
    return { manager: "pnpm", install: "pnpm install --frozen-lockfile" };
  if (read("yarn.lock") !== undefined) return { manager: "yarn", install: "yarn install --frozen-lockfile" };
  if (read("bun.lock") !== undefined || read("bun.lockb") !== undefined) {
    return { manager: "bun", install: "bun install --frozen-lockfile" };
  }
  return { manager: "npm", install: read("package-lock.json") === undefined ? "npm install" : "npm ci" };
}

function fromMakefile(read: ReadFile): SuggestedCommands {
  const text = read("GNUmakefile") ?? read("makefile") ?? read("Makefile");
  if (text === undefined) return {};
  const targets = new Set([...text.matchAll(/^([A-Za-z0-9_.-]+)\s*:(?!=)/gm)].map(([, target]) => target));
  const found: SuggestedCommands = {};
  for (const [name, candidates] of [
    ["setup", ["setup", "deps", "install-deps"]],
    ["lint", ["lint"]],
    ["test", ["test", "check"]],
    ["build", ["build"]],
  ] as const) {
    const target = candidates.find((candidate) => targets.has(candidate));
    if (target !== undefined) found[name] = `make ${target}`;
  }
  return found;
}

function fromPyproject(read: ReadFile): SuggestedCommands {
  const text = read("pyproject.toml");
  if (text === undefined) return {};
  const has = (tool: string) => new RegExp(`^\\[tool\\.${tool}[\\].]`, "m").test(text);
  const { setup, prefix } =
    read("uv.lock") !== undefined
      ? { setup: "uv sync", prefix: "uv run " }
      : read("poetry.lock") !== undefined
        ? { setup: "poetry install", prefix: "poetry run " }
        : { setup: undefined, prefix: "python3 -m " };
  return {
    ...(setup === undefined ? {} : { setup }),
    ...(has("ruff") ? { lint: `${prefix}ruff check .` } : {}),
    test: has("pytest") || /\bpytest\b/.test(text) ? `${prefix}pytest` : "python3 -m unittest",
  };
}

function fromCargo(read: ReadFile): SuggestedCommands {
  if (read("Cargo.toml") === undefined) return {};
  return {
    setup: "cargo fetch",
    lint: "cargo clippy --all-targets",
    test: "cargo test",
    build: "cargo build",
  };
}

function fromGo(read: ReadFile): SuggestedCommands {
  if (read("go.mod") === undefined) return {};
  return { setup: "go mod download", lint: "go vet ./...", test: "go test ./...", build: "go build ./..." };
}

function json(text: string | undefined): Record<string, unknown> | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // A package.json that isn't JSON suggests nothing; npm itself will tell.
    return undefined;
  }
}
