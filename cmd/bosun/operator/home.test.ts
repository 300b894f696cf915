import { expect, onTestFinished, test } from "vitest";
import { registryClient } from "../../../pkg/registry/client.ts";
import { silentLogger } from "../../../pkg/runtime/logger.ts";
import { systemClock } from "../../../pkg/system/system.ts";
import { createAll, openRegistry } from "../testing/operator.ts";
import { homeAnnotation, keepHome } from "./home.ts";

const declared = `
apiVersion: bosun.dev/v1alpha1
kind: Workspace
metadata:
  name: library
spec:
  repository: { targetBranch: main }
  commands: {}
`;

test("a Workspace that is made anew while its operator runs gets its home", async () => {
  const registry = await openRegistry();
  const client = registryClient(registry, "bosun");
  const key = { namespace: "default", name: "library" };
  const home = async (): Promise<string | undefined> =>
    (await client.get("Workspace", key))?.metadata.annotations?.[homeAnnotation];
  await createAll(registry, declared);
  const keeping = keepHome(
    { client, namespace: "default", clock: systemClock, logger: silentLogger },
    "id-1 here:/library",
  );
  onTestFinished(() => keeping.abort());
  await expect.poll(home).toBe("id-1 here:/library");

  await client.delete("Workspace", key);
  await createAll(registry, declared);
  await expect.poll(home).toBe("id-1 here:/library");
});
