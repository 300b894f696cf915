import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../runtime/clock.ts";
import type { PidNamespace } from "./pid-namespace.ts";
import { runCommand } from "./run.ts";
import { sandboxed } from "./sandbox.ts";

export type SandboxAvailability =
  | { available: true; kind: "bubblewrap" }
  | { available: false; why: string; fix: string };

/**
 * Whether a sandbox works here, found out by running one: a kernel or a container may forbid what is installed.
 *
 * @param pids - the process id namespace that it is tried in, as a session's commands run in one; none when undefined
 */
export async function sandboxAvailable(clock: Clock, pids?: PidNamespace): Promise<SandboxAvailability> {
  if (process.platform !== "linux") {
    return {
      available: false,
      why: `Bosun's sandbox is bubblewrap, which exists on Linux only; this is ${process.platform}.`,
      fix: "Run Bosun in a Linux machine, or set `sandbox: Off` in the Workspace and accept that agents see your files.",
    };
  }
  const checkout = await mkdtemp(join(tmpdir(), "bosun-sandbox-"));
  try {
    const sandbox = sandboxed("echo sandboxed", { checkout, network: "none" });
    const launch =
      pids === undefined
        ? sandbox
        : { ...sandbox, file: "unshare", args: [...pids, "--", sandbox.file, ...sandbox.args] };
    const result = await runCommand({ launch, cwd: checkout, timeoutSeconds: 10, clock });
    if (result.exitCode === 0 && result.output.trim() === "sandboxed")
      return { available: true, kind: "bubblewrap" };
    const why = result.output.trim() || "It printed nothing.";
    return result.exitCode === 127 && /ENOENT|No such file/.test(why)
      ? {
          available: false,
          why: "`bwrap` is not on PATH.",
          fix: "Install bubblewrap (`apt install bubblewrap`).",
        }
      : { available: false, why: `bubblewrap failed: ${why}`, fix: namespacesFix };
  } finally {
    await rm(checkout, { recursive: true, force: true });
  }
}

const namespacesFix =
  "Allow unprivileged user namespaces: on Ubuntu `sysctl kernel.apparmor_restrict_unprivileged_userns=0` or an " +
  "AppArmor profile for bwrap; in a container run it with `--security-opt seccomp=unconfined`.";
