import { clientContract } from "../../test/contracts/client.contract.ts";
import { registryClient } from "./client.ts";
import { openTestRegistry } from "./testing/registry.ts";

clientContract("The registry's own client on memory storage", async () => {
  const { registry, storage } = await openTestRegistry({ defer: setImmediate });
  return { client: registryClient(registry), close: () => storage.close() };
});
