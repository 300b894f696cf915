import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import type { DeleteOptions as ClientDeleteOptions } from "../../runtime/client.ts";
import { timestamp } from "../../runtime/clock.ts";
import { type FieldError, invalid, notSupported } from "../field-error.ts";
import { foregroundFinalizer, orphanFinalizer } from "../metadata.ts";
import type { Resource } from "../resource.ts";
import { conflict, invalidObject, notFound } from "../status-errors.ts";
import type { Context } from "./context.ts";
import { beginDefinitionDeletion } from "./definition.ts";
import { beginNamespaceDeletion } from "./namespace.ts";

export interface DeleteOptions extends ClientDeleteOptions {
  /** What `propagationPolicy` was before it had a name: Orphan, or what the object's finalizers say. */
  readonly orphanDependents?: boolean;
}

/** What a deletion came to: the object is gone, or stays until its finalizers are. */
export interface Deletion {
  readonly gone: boolean;
  readonly object: KubeObject;
}

/**
 * Stages a deletion. With finalizers the object stays, with a deletionTimestamp; foreground and orphan deletion give it
 * one more finalizer, which the garbage collector takes off. Asking again changes how its dependents are treated, or
 * nothing.
 */
export function remove(
  context: Context,
  resource: Resource,
  key: ObjectKey,
  options: DeleteOptions = {},
): Deletion {
  checkOptions(options);
  const old = context.staging.get(resource, key);
  if (old === undefined) throw notFound(resource, key.name);
  checkPreconditions(resource, old, options);
  const terminating =
    beginNamespaceDeletion(context, resource, old) ?? beginDefinitionDeletion(context, resource, old);
  if (terminating !== undefined)
    return { gone: false, object: context.staging.put(resource, key, terminating) };
  const { metadata } = old;
  const finalizers = resource.builtin?.neverOwner
    ? metadata.finalizers
    : finalizersFor(options, metadata.finalizers);
  if (finalizers === undefined || finalizers.length === 0) {
    context.staging.remove(resource, key, old);
    return { gone: true, object: old };
  }
  if (metadata.deletionTimestamp !== undefined && sameSet(finalizers, metadata.finalizers ?? [])) {
    return { gone: false, object: old };
  }
  const begins = metadata.deletionTimestamp === undefined;
  const object = context.staging.put(resource, key, {
    ...old,
    metadata: {
      ...metadata,
      finalizers: [...finalizers],
      ...(resource.generation && begins ? { generation: (metadata.generation ?? 1) + 1 } : {}),
      deletionTimestamp: metadata.deletionTimestamp ?? timestamp(context.clock.now()),
      deletionGracePeriodSeconds: 0,
    },
  });
  return { gone: false, object };
}

/** The finalizers that an object has once it is being deleted, those of the garbage collector as the options want. */
function finalizersFor(
  { orphanDependents, propagationPolicy }: DeleteOptions,
  finalizers: readonly string[] = [],
): readonly string[] {
  const has = (finalizer: string) => finalizers.includes(finalizer);
  const orphan = orphanDependents ?? (propagationPolicy ? propagationPolicy === "Orphan" : undefined);
  const foreground =
    orphanDependents === undefined ? propagationPolicy && propagationPolicy === "Foreground" : false;
  const wanted = finalizers.filter((name) => name !== orphanFinalizer && name !== foregroundFinalizer);
  if (orphan ?? has(orphanFinalizer)) wanted.push(orphanFinalizer);
  if (foreground ?? (has(foregroundFinalizer) && !has(orphanFinalizer))) wanted.push(foregroundFinalizer);
  return sameSet(wanted, finalizers) ? finalizers : wanted;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}

function checkOptions({ orphanDependents, propagationPolicy }: DeleteOptions): void {
  const errors: FieldError[] = [];
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    const why = "orphanDependents and deletionPropagation cannot be both set";
    errors.push(invalid("propagationPolicy", propagationPolicy, why));
  }
  const policies = ["Foreground", "Background", "Orphan"];
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy)) {
    errors.push(notSupported("propagationPolicy", propagationPolicy, [...policies, "nil"]));
  }
  const of = { group: "meta.k8s.io", plural: "", kind: "DeleteOptions" };
  if (errors.length > 0) throw invalidObject(of, "", errors);
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
