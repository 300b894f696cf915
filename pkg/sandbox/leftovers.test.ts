import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startTimeOf } from "../system/process-identity.ts";
import { endCommandsOf } from "./leftovers.ts";

/** A process that runs a command without a sandbox for `owner`; it stays, in a session of its own. */
async function runnerOf(owner: string): Promise<{ runner: ReturnType<typeof spawn>; command: number }> {
  const folder = await mkdtemp(join(tmpdir(), "bosun-leftovers-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const url = (file: string): string => JSON.stringify(pathToFileURL(join(import.meta.dirname, file)).href);
  const script = join(folder, "runner.ts");
  await writeFile(
    script,
    `import { runCommand } from ${url("run.ts")};
import { unsandboxed } from ${url("sandbox.ts")};
import { systemClock } from ${url("../system/system.ts")};
const launch = unsandboxed("setsid sleep 300 & echo $! > pid; wait", { home: ${JSON.stringify(folder)} });
await runCommand({ launch, cwd: ${JSON.stringify(folder)}, timeoutSeconds: 300, clock: systemClock, owner: ${JSON.stringify(owner)} });
`,
  );
  const runner = spawn(process.execPath, [script], { stdio: ["ignore", "ignore", "inherit"] });
  const pid = (): Promise<string> => readFile(join(folder, "pid"), "utf8").catch(() => "");
  await expect.poll(pid).toMatch(/^\d+\n$/);
  return { runner, command: Number(await pid()) };
}

test.skipIf(process.platform !== "linux")(
  "an unsandboxed command whose operator was killed is ended by the next one, and another workspace's is not",
  async () => {
    const [mine, other] = await Promise.all([
      runnerOf("/state/mine/checks"),
      runnerOf("/state/other/checks"),
    ]);
    onTestFinished(() => endCommandsOf("/state/other/checks"));
    for (const { runner } of [mine, other]) {
      runner.kill("SIGKILL");
      await once(runner, "exit");
    }
    expect(await startTimeOf(mine.command)).toBeDefined();

    await endCommandsOf("/state/mine/checks");

    await expect.poll(() => startTimeOf(mine.command)).toBeUndefined();
    expect(await startTimeOf(other.command)).toBeDefined();
  },
);
