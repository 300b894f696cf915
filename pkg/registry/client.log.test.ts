import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientContract } from "../../test/contracts/client.contract.ts";
import { openLog } from "../storage/log/log.ts";
import { nodeFileSystem } from "../storage/node-file-system.ts";
import { registryClient } from "./client.ts";
import { openTestRegistry } from "./testing/registry.ts";

clientContract("The registry's own client on the log", async () => {
  const directory = await mkdtemp(join(tmpdir(), "bosun-registry-"));
  const storage = openLog({ directory, fs: nodeFileSystem });
  const { registry } = await openTestRegistry({ storage, defer: setImmediate });
  return {
    client: registryClient(registry, "tests"),
    async close() {
      await storage.close();
      await rm(directory, { recursive: true });
    },
  };
});
