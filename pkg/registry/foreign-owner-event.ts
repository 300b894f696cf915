import type { Event } from "../api/event.ts";
import type { KubeObject, OwnerReference } from "../api/meta.ts";

/**
 * What Kubernetes' garbage collector says of an object that names an owner in another namespace: there is no such owner,
 * so the object will go.
 *
 * @param id - makes the event's name its own
 */
export function foreignOwnerEvent(
  { apiVersion, kind, metadata }: KubeObject,
  owner: OwnerReference,
  { id, now }: { readonly id: string; readonly now: string },
): Event {
  const { namespace = "", name, uid = "", resourceVersion = "" } = metadata;
  const said = `[${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: `${name}.${id}`, namespace },
    involvedObject: { apiVersion, kind, namespace, name, uid, resourceVersion },
    type: "Warning",
    reason: "OwnerRefInvalidNamespace",
    message: `ownerRef ${said} does not exist in namespace "${namespace}"`,
    source: { component: "garbage-collector-controller" },
    reportingComponent: "garbage-collector-controller",
    count: 1,
    firstTimestamp: now,
    lastTimestamp: now,
  };
}
