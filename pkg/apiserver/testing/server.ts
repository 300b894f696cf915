import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Registry, RegistryOptions } from "../../registry/registry.ts";
import { openTestRegistry } from "../../registry/testing/registry.ts";
import { systemClock } from "../../system/system.ts";
import { createApiServer } from "../server.ts";

export interface TestServer {
  readonly registry: Registry;
  readonly socketPath: string;
  /** What `onError` was told. */
  readonly errors: readonly unknown[];
  close(): Promise<void>;
}

/** An API server on a unix socket in a temporary folder. */
export async function startTestServer(options: Partial<RegistryOptions> = {}): Promise<TestServer> {
  const { registry } = await openTestRegistry({ defer: setImmediate, ...options });
  const folder = await mkdtemp(join(tmpdir(), "bosun-api-"));
  const socketPath = join(folder, "api.sock");
  const errors: unknown[] = [];
  const server = createApiServer({
    registry,
    clock: options.clock ?? systemClock,
    onError: (error) => errors.push(error),
  });
  server.listen(socketPath);
  await once(server, "listening");
  return {
    registry,
    socketPath,
    errors,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
