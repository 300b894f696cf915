/** `coordination.k8s.io/v1` */
import { always, int32, microTime, omitempty, pointer, string, struct } from "../types.ts";
import { objectMeta } from "./meta.ts";

/** Said above the column that shows the holder. */
export const holderIdentityDescription =
  "holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.";

export const lease = struct("Lease", {
  metadata: always(1, objectMeta),
  spec: omitempty(
    2,
    struct("LeaseSpec", {
      holderIdentity: pointer(1, string),
      leaseDurationSeconds: pointer(2, int32),
      acquireTime: pointer(3, microTime),
      renewTime: pointer(4, microTime),
      leaseTransitions: pointer(5, int32),
      strategy: pointer(6, string),
      preferredHolder: pointer(7, string),
    }),
  ),
});
