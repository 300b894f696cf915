/** Bosun's own runtime: informer, queue, read-your-writes. */
import { clusterClient } from "../../../../pkg/cluster/client.ts";
import { readCluster } from "../../../../pkg/cluster/kubeconfig.ts";
import type { Client, Kind } from "../../../../pkg/runtime/client.ts";
import { settled } from "../../../../pkg/runtime/controller.ts";
import { silentLogger } from "../../../../pkg/runtime/logger.ts";
import { Manager } from "../../../../pkg/runtime/manager.ts";
import { systemClock, systemRandom } from "../../../../pkg/system/system.ts";
import { group, isReconciled, type Probe, plural } from "../probe-kind.ts";

const { access } = await readCluster({});
const kinds = { Probe: { group, version: "v1", plural } };
const deps = { access, clock: systemClock, random: systemRandom, userAgent: "bench-bosun" };
const namespace = process.env.NAMESPACE ?? "default";
const client = clusterClient({ ...deps, kinds, namespace, fieldManager: "bench" });
const kind = "Probe" as Kind;

const manager = new Manager({
  client,
  clock: systemClock,
  random: systemRandom,
  logger: silentLogger,
  controllers: (cached: Client) => [
    {
      name: "probe",
      watches: [{ kind }],
      concurrency: 16,
      async reconcile(key) {
        const object = await cached.get(kind, key);
        if (object === undefined) return settled;
        const probe = object as unknown as Probe;
        if (isReconciled(probe)) return settled;
        const status = { phase: "Done", observedGeneration: probe.metadata.generation };
        await cached.patch(
          kind,
          key,
          { metadata: { resourceVersion: probe.metadata.resourceVersion }, status },
          { subresource: "status" },
        );
        return settled;
      },
    },
  ],
});
await manager.start();
