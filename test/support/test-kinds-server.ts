/** `bosun apiserver` on the test kinds, Widget and Gizmo, in a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { testCrds } from "../../pkg/registry/testing/widget.ts";
import { apiServer, type Killable } from "./servers.ts";

/** Resolves when it answers; `close` removes its definitions too. */
export async function testKindsServer(): Promise<Killable> {
  const crds = mkdtempSync(path.join(tmpdir(), "bosun-crds-"));
  testCrds.forEach((crd, index) => {
    writeFileSync(path.join(crds, `${index}.yaml`), JSON.stringify(crd));
  });
  const server = await apiServer(crds);
  return {
    ...server,
    async close() {
      await server.close();
      rmSync(crds, { recursive: true });
    },
  };
}
