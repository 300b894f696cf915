import { StatusError } from "../../api/status-error.ts";
import type { RequestInfo } from "../request-info.ts";
import type { User } from "./user.ts";

/** Whether `user` may do what is asked: readers read, and anybody may ask who it is and what it may do. */
export function isAllowed(user: User, { verb, path, resource }: RequestInfo): boolean {
  if (user.rights === "All") return true;
  if (user.rights === "None") return resource === undefined && verb === "get" && publicPaths.has(path);
  if (resource === undefined) return verb === "get" || verb === "head";
  return readVerbs.has(verb) || (verb === "create" && isSelfReview(resource.group, resource.resource));
}

/** The answer to what `user` may not do, in the words of kube-apiserver. */
export function refusal(user: User, { verb, path, resource }: RequestInfo): StatusError {
  // Nobody in particular is asked who it is before it is told what it may not do.
  if (user.rights === "None") return new StatusError(401, "Unauthorized", "Unauthorized");
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (resource === undefined)
    return new StatusError(403, "Forbidden", `forbidden: ${who} path ${JSON.stringify(path)}`, {});
  const { group, name, namespace, subresource } = resource;
  const what = `${resource.resource}${subresource && `/${subresource}`}`;
  const where = namespace === "" ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  const which = `${resource.resource}${group && `.${group}`}${name && ` ${JSON.stringify(name)}`}`;
  return new StatusError(
    403,
    "Forbidden",
    `${which} is forbidden: ${who} resource "${what}" in API group "${group}" ${where}`,
    { ...(name && { name }), ...(group && { group }), kind: resource.resource },
  );
}

/** What kube-apiserver shows to anybody, by its role `system:public-info-viewer`. */
const publicPaths: ReadonlySet<string> = new Set(["/healthz", "/livez", "/readyz", "/version", "/version/"]);

const readVerbs: ReadonlySet<string> = new Set(["get", "list", "watch"]);

/** Its role `system:basic-user`. */
function isSelfReview(group: string, resource: string): boolean {
  return (
    (group === "authorization.k8s.io" &&
      (resource === "selfsubjectaccessreviews" || resource === "selfsubjectrulesreviews")) ||
    (group === "authentication.k8s.io" && resource === "selfsubjectreviews")
  );
}
