/**
 * The demo: a scratch repository with a small library, six declared projects, three agents, one reviewer, a Budget,
 * and the whole loop on it, offline. `node hack/demo/main.ts [FOLDER]`; without a folder it makes one in the
 * temporary folder.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { summarize } from "./summary.ts";

const here = import.meta.dirname;
const bosun = path.resolve(here, "../../bin/bosun.mjs");

const folder =
  process.argv[2] === undefined
    ? mkdtempSync(path.join(tmpdir(), "bosun-demo-"))
    : path.resolve(process.argv[2]);
const repository = path.join(folder, "tinykit");
const env = { ...process.env, XDG_STATE_HOME: path.join(folder, "state") };

const pools = `# Three agents that write, one that reviews.
apiVersion: bosun.dev/v1alpha1
kind: AgentPool
metadata:
  name: crew
spec:
  role: Execution
  replicas: 3
---
apiVersion: bosun.dev/v1alpha1
kind: AgentPool
metadata:
  name: reviewers
spec:
  role: Review
  replicas: 1
`;

if (!existsSync(repository)) prepare();
console.log(
  `The demo's repository is ${repository}. The model is a rehearsal: it is played, and costs nothing.\n`,
);
const operator = spawn(
  process.execPath,
  [bosun, "up", "--rehearse", "--until-settled", "--scenarios", path.join(here, "scenarios")],
  {
    cwd: repository,
    env,
    stdio: "inherit",
  },
);
// Ctrl-C reaches the operator by itself, and the demo waits for it to save; a SIGTERM is passed on.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => operator.kill("SIGTERM"));
const [code] = (await once(operator, "exit")) as [number | null];
if (code !== 0) process.exit(code ?? 1);
process.exitCode = await summarize({ repository, folder });

/** A library with its checks green, and what a person would declare beside it. */
function prepare(): void {
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(here, "library"), repository, { recursive: true });
  const git = (...args: string[]): void =>
    void execFileSync("git", ["-C", repository, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  git("init", "--quiet", "--initial-branch=main", ".");
  git("add", "--all");
  git(
    "-c",
    "user.name=Demo",
    "-c",
    "user.email=demo@bosun.invalid",
    "-c",
    "commit.gpgsign=false",
    "commit",
    "--quiet",
    "--message=Begin tinykit",
  );
  execFileSync(process.execPath, [bosun, "init", "--budget", "5"], { cwd: repository, env, stdio: "ignore" });
  const sessions = path.join(repository, ".claude-sessions");
  writeFileSync(path.join(sessions, "pools.yaml"), pools);
  rmSync(path.join(sessions, "projects/example.yaml"), { force: true });
  for (const name of readdirSync(path.join(here, "projects")))
    cpSync(path.join(here, "projects", name), path.join(sessions, "projects", name));
}
