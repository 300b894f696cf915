import type { Resource } from "../resource.ts";
import { forbiddenRequest, notFound } from "../status-errors.ts";
import type { Context } from "./context.ts";

/** The one namespace there is. */
export const defaultNamespace = "default";

const namespaces = { group: "", plural: "namespaces", kind: "Namespace" };

/** Refuses a write into a namespace that does not exist, and a second namespace. */
export function checkNamespace(context: Context, resource: Resource, namespace: string): void {
  if (resource.namespaced && namespace !== defaultNamespace) throw notFound(namespaces, namespace);
  if (!isNamespace(resource)) return;
  if (context.staging.get(resource, { namespace: "", name: defaultNamespace }) === undefined) return;
  throw forbiddenRequest(namespaces, "", `this server has one namespace, "${defaultNamespace}"`);
}

/** Refuses to delete the one namespace. */
export function checkNamespaceDeletion(resource: Resource, name: string): void {
  if (isNamespace(resource)) throw forbiddenRequest(namespaces, name, "this namespace may not be deleted");
}

function isNamespace(resource: Resource): boolean {
  return resource.group === "" && resource.kind === "Namespace";
}
