/** `autoscaling/v1`: the scale subresource. */
import { always, int32, omitempty, string, struct } from "../types.ts";
import { objectMeta } from "./meta.ts";

export const scale = struct("Scale", {
  metadata: always(1, objectMeta),
  spec: omitempty(2, struct("ScaleSpec", { replicas: omitempty(1, int32) })),
  status: omitempty(3, struct("ScaleStatus", { replicas: always(1, int32), selector: omitempty(2, string) })),
});
