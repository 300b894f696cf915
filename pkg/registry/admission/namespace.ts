import type { KubeObject } from "../../api/meta.ts";
import { StatusError } from "../../api/status-error.ts";
import { timestamp } from "../../runtime/clock.ts";
import { type Namespace, namespaceResource } from "../builtin/namespace.ts";
import type { Resource } from "../resource.ts";
import { conflict, forbiddenRequest, notFound } from "../status-errors.ts";
import type { Context } from "./context.ts";

/** Where objects go that name no namespace. */
export const defaultNamespace = "default";

/** The namespaces that a server makes for itself when they are missing. */
export const ownNamespaces: readonly string[] = [
  defaultNamespace,
  "kube-node-lease",
  "kube-public",
  "kube-system",
];

const immortal: readonly string[] = [defaultNamespace, "kube-public", "kube-system"];

/** Refuses a new object in a namespace that is not there, or that is being emptied. */
export function checkNamespace(
  { staging }: Context,
  resource: Resource,
  namespace: string,
  name: string,
): void {
  if (!resource.namespaced) return;
  const found = staging.get(namespaceResource, { namespace: "", name: namespace }) as Namespace | undefined;
  if (found === undefined) throw notFound(namespaceResource, namespace);
  if (found.status.phase !== "Terminating") return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const { message, details } = forbiddenRequest(resource, name, why);
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  };
  throw new StatusError(403, "Forbidden", message, { ...details, causes: [cause] });
}

/**
 * The first step of deleting a namespace: it says Terminating until nothing is left in it. Undefined when `old` is none,
 * or is empty and may go like any object.
 *
 * @throws StatusError Forbidden for namespaces that must not go, Conflict while one is being emptied
 */
export function beginNamespaceDeletion(
  { clock }: Context,
  resource: Resource,
  old: KubeObject,
): KubeObject | undefined {
  if (resource !== namespaceResource) return undefined;
  const { metadata, spec, status } = old as Namespace;
  if (immortal.includes(metadata.name)) {
    throw forbiddenRequest(resource, metadata.name, "this namespace may not be deleted");
  }
  if (metadata.deletionTimestamp === undefined) {
    return {
      ...old,
      metadata: { ...metadata, deletionTimestamp: timestamp(clock.now()) },
      status: { ...status, phase: "Terminating" },
    };
  }
  if ((spec.finalizers ?? []).length === 0) return undefined;
  const why =
    "The system is ensuring all content is removed from this namespace.  Upon completion, this namespace will automatically be purged by the system.";
  throw conflict(resource, metadata.name, why);
}
