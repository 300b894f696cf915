/** A Lease of the cluster, as an election needs it. */
import type { ObjectMeta } from "../api/meta.ts";
import { collectionPath, objectPath } from "../api/paths.ts";
import { isNotFound } from "../api/status-error.ts";
import type { Lease, LeaseSpec, LeaseStore } from "../runtime/leader-election.ts";
import { type Call, type ExchangeDeps, exchange, readJson } from "./exchange.ts";

const leases = { group: "coordination.k8s.io", version: "v1", plural: "leases" };

interface LeaseObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: LeaseSpec;
}

/** The Lease `name` of `namespace`. An attempt to renew has no time for retries: the election makes its own. */
export function leaseStore(
  deps: ExchangeDeps,
  { namespace, name }: { namespace: string; name: string },
): LeaseStore {
  const ask = async (call: Call): Promise<Lease> => {
    const object = (await readJson(await exchange(deps, call), call, deps.access)) as LeaseObject;
    const { resourceVersion } = object.metadata;
    return { ...(resourceVersion === undefined ? {} : { resourceVersion }), spec: object.spec ?? {} };
  };
  return {
    async read() {
      try {
        return await ask({ method: "GET", path: objectPath(leases, { namespace, name }) });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    write({ resourceVersion, spec }) {
      const isNew = resourceVersion === undefined;
      const body: LeaseObject = {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: { name, namespace, ...(isNew ? {} : { resourceVersion }) },
        spec,
      };
      return ask({
        method: isNew ? "POST" : "PUT",
        path: isNew ? collectionPath(leases, namespace) : objectPath(leases, { namespace, name }),
        body,
      });
    },
  };
}
