/** The demo's scratch repository: a small library, six declared projects, three agents, one reviewer, a Budget. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const here = import.meta.dirname;
const fromSources = path.resolve(here, "../../bin/bosun.mjs");

/** A scratch repository, and how its operator is started. */
export interface Demo {
  /** Everything that the demo makes lies in it. Absolute. */
  folder: string;
  repository: string;
  /** What the operator's environment has beyond the caller's own. */
  env: { XDG_STATE_HOME: string };
  /** A file for Node. */
  bosun: string;
  /** Arguments for Node, to be run in `repository`: the operator, until all work has come to an end. */
  operator: readonly string[];
}

/**
 * Where the demo of `folder` has what. Nothing is made yet.
 *
 * @param bosun - the command; that of this checkout when left out
 */
export function demoIn(folder: string, bosun = fromSources): Demo {
  return {
    folder,
    repository: path.join(folder, "tinykit"),
    env: { XDG_STATE_HOME: path.join(folder, "state") },
    bosun,
    operator: [bosun, "up", "--rehearse", "--until-settled", "--scenarios", path.join(here, "scenarios")],
  };
}

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

/** Makes the repository, its checks green, and what a person would declare beside it. */
export function prepare({ folder, repository, env, bosun }: Demo): void {
  mkdirSync(folder, { recursive: true });
  cpSync(path.join(here, "library"), repository, { recursive: true });
  const git = (...args: string[]): void =>
    void execFileSync("git", ["-C", repository, ...args], { stdio: ["ignore", "ignore", "inherit"] });
  git("init", "--quiet", "--initial-branch=main", ".");
  git("add", "--all");
  const person = ["user.name=Demo", "user.email=demo@bosun.invalid", "commit.gpgsign=false"];
  git(...person.flatMap((setting) => ["-c", setting]), "commit", "--quiet", "--message=Begin tinykit");
  execFileSync(process.execPath, [bosun, "init", "--budget", "5"], {
    cwd: repository,
    env: { ...process.env, ...env },
    stdio: "ignore",
  });
  const sessions = path.join(repository, ".claude-sessions");
  writeFileSync(path.join(sessions, "pools.yaml"), pools);
  rmSync(path.join(sessions, "projects/example.yaml"), { force: true });
  for (const name of readdirSync(path.join(here, "projects")))
    cpSync(path.join(here, "projects", name), path.join(sessions, "projects", name));
}
