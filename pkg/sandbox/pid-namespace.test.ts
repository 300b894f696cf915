import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { pidSpace, whereabouts } from "../system/pid-space.ts";
import { pidNamespaceAvailable } from "./pid-namespace.ts";

test("pids of a namespace are elsewhere seen from outside, and those of outside seen from within", async (context) => {
  const namespace = await pidNamespaceAvailable();
  if (namespace === undefined) return context.skip("This machine makes no process id namespaces.");
  const module = join(import.meta.dirname, "../system/pid-space.ts");
  const script = `import { pidSpace } from ${JSON.stringify(module)}; process.stdout.write(pidSpace());`;
  const within = [...namespace, "--", process.execPath, "--input-type=module", "--eval", script];
  const { stdout: inner } = await promisify(execFile)("unshare", within);
  expect(inner.split(" ")).toHaveLength(3);
  expect([whereabouts(inner, pidSpace()), whereabouts(pidSpace(), inner)]).toEqual([
    "elsewhere",
    "elsewhere",
  ]);
});
