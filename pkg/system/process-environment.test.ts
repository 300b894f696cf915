import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { environmentOf } from "./process-environment.ts";
import { processTable } from "./process-table.ts";

const onLinux = test.runIf(process.platform === "linux");

onLinux(
  "a process that becomes another program again and again is known by its mark at each look",
  async () => {
    const again = 'exec sh -c "$0" "$0"';
    const mark = `BOSUN_TEST_MARK=${process.pid}`;
    const child = spawn("sh", ["-c", again, again], {
      env: { PATH: process.env.PATH, BOSUN_TEST_MARK: String(process.pid) },
      stdio: "ignore",
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    const exited = once(child, "exit");
    await once(child, "spawn");
    const pid = child.pid ?? 0;
    for (let look = 0; look < 1_000; look += 1) expect(environmentOf(pid).split("\0")).toContain(mark);
    expect(processTable().find((entry) => entry.pid === pid)?.environment).toContain(mark);
    child.kill("SIGKILL");
    await exited;
    expect(environmentOf(pid)).toBe("gone");
  },
);

onLinux("a process without an environment is not waited for, and has none", async () => {
  const child = spawn("/bin/sleep", ["600"], { env: {}, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "spawn");
  expect(environmentOf(child.pid ?? 0)).toBe("");
});
