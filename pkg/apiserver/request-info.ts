/** What a request asks to do, read off its method and path alone, whether or not anything is served there. */
export interface RequestInfo {
  readonly method: string;
  /** get, list, watch, create, update, patch, delete, deletecollection; the method in lower case where no resource is meant. */
  readonly verb: string;
  readonly path: string;
  /** Undefined: the path names no resource. */
  readonly resource: RequestedResource | undefined;
}

export interface RequestedResource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** Empty: of the whole cluster, or in all namespaces. */
  readonly namespace: string;
  /** Empty: a collection. */
  readonly name: string;
}

/**
 * Reads a request as kube-apiserver's authorizer and metrics do.
 *
 * @see k8s.io/apiserver, pkg/endpoints/request/requestinfo.go for the rules
 */
export function requestInfo(method: string, { pathname, searchParams }: URL): RequestInfo {
  const path = pathname;
  const { resource, watch } = requested(path);
  if (resource === undefined) return { method, verb: method.toLowerCase(), path, resource };
  const verb = verbOf(method, resource.name, searchParams);
  // Only where it reads: a write under such a path is a write, and asked for as one.
  const reads = verb === "get" || verb === "list";
  return { method, verb: watch && reads ? "watch" : verb, path, resource };
}

/** The resource of a path, and whether it is one of the old paths of a watch. */
function requested(path: string): { resource: RequestedResource | undefined; watch: boolean } {
  const [prefix, ...rest] = path
    .split("/")
    .filter((part) => part !== "")
    .map(decoded);
  if (prefix !== "api" && prefix !== "apis") return nothing;
  const group = prefix === "apis" ? rest.shift() : "";
  const version = rest.shift();
  if (group === undefined || version === undefined || rest.length === 0) return nothing;
  const watch = rest[0] === "watch" && rest.length > 1;
  if (watch) rest.shift();
  let namespace = "";
  let parts = rest;
  if (parts[0] === "namespaces" && parts[1] !== undefined) {
    namespace = parts[1];
    // `namespaces/a/status` is of the Namespace itself; `namespaces/a/widgets` is within it.
    if (parts[2] !== undefined && !namespaceSubresources.has(parts[2])) parts = parts.slice(2);
  }
  const [resource = "", name = "", subresource = ""] = parts;
  return { resource: { group, version, resource, subresource, namespace, name }, watch };
}

const nothing = { resource: undefined, watch: false };

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A `%` that encodes nothing: nothing is served there.
    return part;
  }
}

const namespaceSubresources: ReadonlySet<string> = new Set(["status", "finalize"]);

function verbOf(method: string, name: string, query: URLSearchParams): string {
  switch (method) {
    case "GET":
    case "HEAD":
      if (name !== "") return "get";
      return isSet(query.get("watch")) ? "watch" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return name === "" ? "deletecollection" : "delete";
    default:
      return "";
  }
}

function isSet(value: string | null): boolean {
  return value !== null && value !== "false" && value !== "0";
}
