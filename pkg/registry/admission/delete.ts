import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import type { DeleteOptions } from "../../runtime/client.ts";
import { timestamp } from "../../runtime/clock.ts";
import { notSupported } from "../field-error.ts";
import type { Resource } from "../resource.ts";
import { conflict, invalidObject, notFound } from "../status-errors.ts";
import type { Context } from "./context.ts";
import { checkNamespaceDeletion } from "./namespace.ts";

/** What a deletion came to: the object is gone, or stays until its finalizers are. */
export interface Deletion {
  readonly gone: boolean;
  readonly object: KubeObject;
}

/** Stages a deletion. With finalizers the object stays, with a deletionTimestamp; asking again changes nothing. */
export function remove(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  options: DeleteOptions = {},
): Deletion {
  checkPolicy(options);
  const old = context.staging.get(resource, key);
  if (old === undefined) throw notFound(resource, key.name);
  checkPreconditions(resource, old, options);
  checkNamespaceDeletion(resource, key.name);
  const { metadata } = old;
  if (metadata.finalizers === undefined) {
    context.staging.remove(resource, key, old);
    return { gone: true, object: old };
  }
  if (metadata.deletionTimestamp !== undefined) return { gone: false, object: old };
  const object = context.staging.put(resource, key, {
    ...old,
    metadata: {
      ...metadata,
      ...(resource.generation ? { generation: (metadata.generation ?? 1) + 1 } : {}),
      deletionTimestamp: timestamp(context.clock.now()),
      deletionGracePeriodSeconds: 0,
    },
  });
  return { gone: false, object };
}

function checkPolicy({ propagationPolicy = "Background" }: DeleteOptions): void {
  if (propagationPolicy === "Background") return;
  const of = { group: "meta.k8s.io", plural: "", kind: "DeleteOptions" };
  // Refused rather than done in the background: whoever asks relies on the order.
  throw invalidObject(of, "", [notSupported("propagationPolicy", propagationPolicy, ["Background"])]);
}

function checkPreconditions(resource: Resource, old: KubeObject, { preconditions }: DeleteOptions): void {
  const { uid, resourceVersion } = preconditions ?? {};
  if (uid !== undefined && uid !== old.metadata.uid) {
    throw conflict(
      resource,
      old.metadata.name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion) {
    throw conflict(
      resource,
      old.metadata.name,
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${old.metadata.resourceVersion}`,
    );
  }
}
