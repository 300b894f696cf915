/** An emergency stop without an operator keeps unfinished work, with real git. */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { lockTerms } from "../../cmd/bosun/operator/lock-terms.ts";
import { createAll, openRegistry, runIn } from "../../cmd/bosun/testing/operator.ts";
import { workspaceFolder } from "../../cmd/bosun/workspace-folder.ts";
import { sessionFolder } from "../../pkg/session/session-folder.ts";
import type { SessionSpec } from "../../pkg/session/sessions.ts";
import { openLog } from "../../pkg/storage/log/log.ts";
import { nodeFileSystem } from "../../pkg/storage/node-file-system.ts";
import { pidSpace } from "../../pkg/system/pid-space.ts";
import { startTimeOf } from "../../pkg/system/process-identity.ts";
import { git, openRealWorld, write } from "./repository-world.ts";

const session = "5f0c1f7e-8d1c-4a57-9d0a-000000000001";
const claim = { project: "retry-uploads", number: 1, agent: "agent-1" };

/** Puts a `bwrap` first on PATH that notes what it runs, and runs it unless it `fails`. @returns what it has run */
function recordedSandbox(root: string, { fails }: { fails: boolean }): () => string {
  const [folder, ran] = [join(root, "bin"), join(root, "ran")];
  mkdirSync(folder);
  writeFileSync(ran, "");
  const run = `while [ "$1" != -- ]; do [ "$1" = --chdir ] && cd "$2"; shift; done; shift; echo "$@" >> ${ran}; exec "$@"`;
  writeFileSync(join(folder, "bwrap"), `#!/bin/sh\n${fails ? "exit 1" : run}\n`, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return () => readFileSync(ran, "utf8");
}

/** An operator that holds the lock of the workspace and answers nobody. */
async function silentOperator(operator: string): Promise<void> {
  const process = spawn("sleep", ["600"], { stdio: "ignore" });
  onTestFinished(() => void process.kill("SIGKILL"));
  const { pid = 0 } = process;
  const startTime = (await startTimeOf(pid)) ?? "";
  const heartbeatMs = Date.now();
  lockTerms(join(operator, "lock")).take(1, { pid, startTime, place: pidSpace(), term: 1, heartbeatMs });
}

const isLinux = process.platform === "linux";
test.each([
  { sandbox: "Required", fails: false, operator: "none", isBoxed: isLinux },
  { sandbox: "Required", fails: false, operator: "killed", isBoxed: isLinux },
  { sandbox: "Required", fails: true, operator: "none", isBoxed: false },
  { sandbox: "Off", fails: false, operator: "none", isBoxed: false },
])("kept in the sandbox: $isBoxed, where it is $sandbox, fails: $fails, operator: $operator", async (row) => {
  const world = await openRealWorld();
  onTestFinished(() => world.remove());
  const { repository, repositoryPath, stateDirectory, root } = world;
  await repository.recordClaim(claim);
  const identity = { name: "agent-1", email: "agent-1@bosun.localhost" };
  const branch = "agent-1/project-101";
  const { path } = await repository.ensureCheckout(claim, { branch, identity, purpose: "execute" });
  await write(path, { "unfinished.txt": "half\n" });

  // The workspace lies beside its repository.
  const folder = workspaceFolder(join(root, "home"));
  mkdirSync(folder.operator, { recursive: true });
  mkdirSync(join(stateDirectory, "gateway"));
  symlinkSync(join(stateDirectory, "gateway"), folder.gateway);
  const log = openLog({ directory: folder.log, fs: nodeFileSystem });
  const registry = await openRegistry(log);
  const place = JSON.stringify(relative(folder.repository, repositoryPath));
  await createAll(
    registry,
    `{ apiVersion: bosun.dev/v1alpha1, kind: Workspace, metadata: { name: library },
       spec: { sandbox: ${row.sandbox}, repository: { path: ${place} } } }`,
  );
  await log.close();
  sessionFolder(folder.sessions, session).writeSpec({
    purpose: "execute",
    agent: claim.agent,
    claim: { kind: "Project", name: claim.project, uid: "u", number: claim.number },
  } as SessionSpec);

  if (row.operator === "killed") await silentOperator(folder.operator);
  const ran = recordedSandbox(root, row);
  const { exitCode, out, notes } = await runIn(folder.repository, ["stop", "--emergency"]);
  expect({ exitCode, notes }).toEqual({ exitCode: 0, notes: [] });
  expect(out.join("\n")).toContain("Unfinished work of 1 session is kept");
  expect(await git(repositoryPath, "show", `refs/bosun/wip/${session}:unfinished.txt`)).toBe("half");
  expect(ran().includes("git ")).toBe(row.isBoxed);
});
