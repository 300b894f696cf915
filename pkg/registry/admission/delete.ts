import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import type { DeleteOptions } from "../../runtime/client.ts";
import { timestamp } from "../../runtime/clock.ts";
import { notSupported } from "../field-error.ts";
import type { Resource } from "../resource.ts";
import { conflict, invalidObject, notFound } from "../status-errors.ts";
import type { Context } from "./context.ts";
import { beginDefinitionDeletion } from "./definition.ts";
import { beginNamespaceDeletion } from "./namespace.ts";

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
  const terminating =
    beginNamespaceDeletion(context, resource, old) ?? beginDefinitionDeletion(context, resource, old);
  if (terminating !== undefined)
    return { gone: false, object: context.staging.put(resource, key, terminating) };
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
  const { metadata } = old;
  // Here, and only here, kube-apiserver names the Kind where other conflicts name the plural.
  const of = { ...resource, plural: resource.kind };
  if (uid !== undefined && uid !== metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(of, metadata.name, why);
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(of, metadata.name, why);
  }
}
