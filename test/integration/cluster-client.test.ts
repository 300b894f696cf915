import { afterAll, beforeAll, describe, test } from "vitest";
import type { KubeObject } from "../../pkg/api/meta.ts";
import { keyOf } from "../../pkg/api/meta.ts";
import { clusterClient } from "../../pkg/cluster/client.ts";
import { type ClusterChoice, readCluster } from "../../pkg/cluster/kubeconfig.ts";
import { testCrds } from "../../pkg/registry/testing/widget.ts";
import type { Client } from "../../pkg/runtime/client.ts";
import { systemClock, systemRandom } from "../../pkg/system/system.ts";
import { type ClientUnderTest, clientContract } from "../contracts/client.contract.ts";
import { apiOf, realCluster, serve, withdraw, withoutCluster } from "../support/real-cluster.ts";
import type { Killable } from "../support/servers.ts";
import { testKindsServer } from "../support/test-kinds-server.ts";

const kinds = {
  Widget: { group: "test.example", version: "v1", plural: "widgets" },
  Gizmo: { group: "test.example", version: "v1", plural: "gizmos" },
};

describe("an API server of ours", () => {
  let server: Killable;
  beforeAll(async () => {
    server = await testKindsServer();
  });
  afterAll(() => server.close());

  clientContract("Cluster mode's client over HTTPS", () => clientOf({ file: server.kubeconfig }));
});

// A real cluster is no part of a fresh machine, and what runs on one of ours runs here too: its absence is said, never silent.
if (realCluster === undefined) test.skip(withoutCluster);
else {
  const cluster = realCluster;
  describe("a real cluster", () => {
    beforeAll(async () => {
      const api = await apiOf(cluster);
      for (const crd of testCrds) await serve(api, crd);
      api.close();
    });
    afterAll(async () => {
      const api = await apiOf(cluster);
      for (const crd of testCrds) await withdraw(api, crd);
      api.close();
    });

    clientContract("Cluster mode's client", () => clientOf(cluster));
  });
}

async function clientOf(cluster: ClusterChoice): Promise<ClientUnderTest> {
  const { access } = await readCluster(cluster);
  const deps = { access, clock: systemClock, random: systemRandom, userAgent: "bosun-test" };
  const client = clusterClient({ ...deps, kinds, fieldManager: "bosun" });
  return {
    client,
    async close() {
      for (const kind of Object.keys(kinds)) await removeAll(client, kind);
      access.close();
    },
  };
}

async function removeAll(client: Client, kind: string): Promise<void> {
  const named = kind as "Project";
  const { items } = await client.list(named);
  for (const object of items as readonly KubeObject[]) {
    if (object.metadata.finalizers !== undefined)
      await client.patch(named, keyOf(object), { metadata: { finalizers: null } });
    if (object.metadata.deletionTimestamp === undefined) await client.delete(named, keyOf(object));
  }
}
