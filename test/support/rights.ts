/** What of a Kubernetes API was used, and what a role allows: both as `verb group/resource`. */

export interface Rule {
  apiGroups: readonly string[];
  resources: readonly string[];
  verbs: readonly string[];
}

/** The right that a request needs; undefined for what everybody may ask (discovery, health). */
export function rightOf(request: string): string | undefined {
  const [method = "", url = ""] = request.split(" ");
  const { pathname, searchParams } = new URL(url, "http://server");
  const found =
    /^\/(?:api\/v1|apis\/([^/]+)\/[^/]+)(?:\/namespaces\/[^/]+)?\/([a-z]+)(?:\/([^/]+)(?:\/([a-z]+))?)?$/.exec(
      pathname,
    );
  if (found === null) return undefined;
  const [, group = "", plural = "", name, subresource] = found;
  const resource = `${group}/${plural}${subresource === undefined ? "" : `/${subresource}`}`;
  return `${verbOf(method, name !== undefined, searchParams.get("watch") === "true")} ${resource}`;
}

function verbOf(method: string, isNamed: boolean, isWatch: boolean): string {
  switch (method) {
    case "GET":
      return isWatch ? "watch" : isNamed ? "get" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    default:
      return isNamed ? "delete" : "deletecollection";
  }
}

export function rightsOf(rules: readonly Rule[]): ReadonlySet<string> {
  return new Set(
    rules.flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
      ),
    ),
  );
}
