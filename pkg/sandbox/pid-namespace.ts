import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Arguments of `unshare` for a process id namespace, as this machine allows them; undefined where it has none. */
export type PidNamespace = readonly string[] | undefined;

const pidNamespace = ["--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"];
const candidates = [pidNamespace, ["--user", "--map-current-user", ...pidNamespace]];

/** Whether processes can have a process id namespace of their own here, found out by making one. */
export async function pidNamespaceAvailable(): Promise<PidNamespace> {
  if (process.platform !== "linux") return undefined;
  for (const args of candidates) {
    try {
      await promisify(execFile)("unshare", [...args, "--", "true"], { timeout: 10_000 });
      return args;
    } catch {
      // Not allowed this way, or no `unshare`: the next way, or none.
    }
  }
  return undefined;
}
