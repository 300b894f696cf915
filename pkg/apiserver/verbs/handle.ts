import { StatusError } from "../../api/status-error.ts";
import { badRequest, qualified } from "../../registry/status-errors.ts";
import { warningsOf } from "../warnings.ts";
import type { Call } from "./call.ts";
import { deleteCollection, deleteObject } from "./delete.ts";
import { isSet } from "./list-query.ts";
import { getObject, listObjects } from "./read.ts";
import { watchObjects } from "./watch.ts";
import { createObject, patchObject, updateObject } from "./write.ts";

/** Answers a request for a resource by its method and path. */
export async function handle(call: Call): Promise<void> {
  const { method = "GET" } = call.request;
  const { name, subresource, resource } = call.target;
  if (resource.deprecation !== undefined) warningsOf(call.response).add(resource.deprecation);
  if (call.target.watch && method !== "GET" && method !== "HEAD") throw noSuchVerb();
  if (resource.builtin !== undefined && !hasRoute(call, method)) throw noSuchVerb();
  switch (method) {
    case "GET":
    case "HEAD":
      if (call.target.watch) return watchObjects(call);
      if (name !== undefined) return getObject(call);
      return isSet(call.query.get("watch")) ? watchObjects(call) : listObjects(call);
    case "POST":
      if (subresource === undefined) return createObject(call);
      break;
    case "PUT":
      if (name === undefined) throw badRequest("name must be provided");
      return updateObject(call);
    case "PATCH":
      if (name === undefined) throw badRequest("name must be provided");
      return patchObject(call);
    case "DELETE":
      if (name === undefined) return deleteCollection(call);
      if (subresource === undefined) return deleteObject(call);
      break;
  }
  throw notAllowed(call, method);
}

/**
 * Whether kube-apiserver has a route for a method on a kind of its own. It has one for each verb, where for custom
 * resources one handler sees to all.
 */
function hasRoute(call: Call, method: string): boolean {
  const { resource, namespace, name, subresource } = call.target;
  if (subresource === "finalize") return method === "PUT";
  if (subresource !== undefined) return ["GET", "PUT", "PATCH"].includes(method);
  const everywhere = resource.namespaced && namespace === undefined;
  const methods =
    name !== undefined ? ["GET", "PUT", "PATCH", "DELETE"] : everywhere ? ["GET"] : ["GET", "POST", "DELETE"];
  return methods.includes(method) && resource.verbs.includes(verbOf(call, method));
}

function verbOf({ target: { name }, query }: Call, method: string): string {
  switch (method) {
    case "GET":
      return name !== undefined ? "get" : isSet(query.get("watch")) ? "watch" : "list";
    case "DELETE":
      return name !== undefined ? "delete" : "deletecollection";
    default:
      return { POST: "create", PUT: "update", PATCH: "patch" }[method] ?? method;
  }
}

/** What kube-apiserver answers where it has no route at all for a method. */
function noSuchVerb(): StatusError {
  const message = "the server does not allow this method on the requested resource";
  return new StatusError(405, "MethodNotAllowed", message, {});
}

function notAllowed({ target: { resource } }: Call, method: string): StatusError {
  const verb = { POST: "create", DELETE: "delete" }[method] ?? "";
  const { group, plural } = resource;
  const message = `${verb} is not supported on resources of kind "${qualified(plural, group)}"`;
  return new StatusError(405, "MethodNotAllowed", message, {
    ...(group === "" ? {} : { group }),
    kind: plural,
  });
}
