import type { JsonObject } from "../../registry/json.ts";
import { apiVersionOf, type Resource } from "../../registry/resource.ts";
import { subresourcesOf } from "../discovery/resources.ts";
import { metaPrefix, reference, scaleName } from "./definitions.ts";
import { schemaName } from "./kind-schema.ts";
import parameters from "./parameters.json" with { type: "json" };

/** Every path of a resource with what can be done there. */
export function pathsOf(resource: Resource): Record<string, JsonObject> {
  const root = `${resource.group === "" ? "/api" : "/apis"}/${apiVersionOf(resource)}`;
  const within = resource.namespaced ? `${root}/namespaces/{namespace}` : root;
  const collection = `${within}/${resource.plural}`;
  const paths: Record<string, JsonObject> = {};
  const add = (path: string, verbs: readonly Verb[], subresource?: string) => {
    const operations = verbs.filter(
      (verb) => resource.verbs.includes(served[verb]) || subresource !== undefined,
    );
    if (operations.length === 0) return;
    paths[path] = pathItem(resource, path, operations, subresource);
  };
  if (resource.namespaced) add(`${root}/${resource.plural}`, ["list"]);
  add(collection, ["list", "post", "deletecollection"]);
  add(`${collection}/{name}`, ["get", "put", "delete", "patch"]);
  for (const { name, verbs } of subresourcesOf(resource)) {
    add(`${collection}/{name}/${name}`, verbs.includes("get") ? ["get", "put", "patch"] : ["put"], name);
  }
  return paths;
}

/** What `x-kubernetes-action` calls an operation. */
type Verb = "list" | "post" | "deletecollection" | "get" | "put" | "delete" | "patch";

/** The verbs of discovery. */
const served: Readonly<Record<Verb, string>> = {
  list: "list",
  post: "create",
  deletecollection: "deletecollection",
  get: "get",
  put: "update",
  delete: "delete",
  patch: "patch",
};

const methods: Readonly<Record<Verb, string>> = {
  list: "get",
  post: "post",
  deletecollection: "delete",
  get: "get",
  put: "put",
  delete: "delete",
  patch: "patch",
};

function pathItem(
  resource: Resource,
  path: string,
  verbs: readonly Verb[],
  subresource: string | undefined,
): JsonObject {
  const operations = verbs.map((verb) => [methods[verb], operation(resource, path, verb, subresource)]);
  const common = [
    ...(path.includes("{name}") ? [pathParameter("name", `name of the ${resource.kind}`)] : []),
    ...(path.includes("{namespace}")
      ? [pathParameter("namespace", "object name and auth scope, such as for teams and projects")]
      : []),
    {
      name: "pretty",
      in: "query",
      description:
        "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget).",
      schema: { type: "string", uniqueItems: true },
    },
  ];
  return { ...Object.fromEntries(operations), parameters: common };
}

function pathParameter(name: string, description: string): JsonObject {
  return { name, in: "path", description, required: true, schema: { type: "string", uniqueItems: true } };
}

function operation(
  resource: Resource,
  path: string,
  verb: Verb,
  subresource: string | undefined,
): JsonObject {
  const { group, version, kind } = resource;
  const body = bodyOf(resource, verb, subresource);
  return {
    tags: [`${lowerFirst(groupWord(group))}_${version}`],
    description: describe(verb, kind, subresource),
    operationId: operationId(resource, path, verb, subresource),
    parameters: parametersOf(verb),
    ...(body === undefined ? {} : { requestBody: body }),
    responses: responsesOf(resource, verb, subresource),
    "x-kubernetes-action": verb,
    "x-kubernetes-group-version-kind": { group, version, kind },
  };
}

/** `create a Widget`, `read status of the specified Widget` */
function describe(verb: Verb, kind: string, subresource: string | undefined): string {
  const part = subresource === undefined ? "" : ` ${subresource} of`;
  const article = /^[aeiou]/i.test(kind) ? "an" : "a";
  switch (verb) {
    case "list":
      return `list${part} objects of kind ${kind}`;
    case "post":
      return `create${part} ${article} ${kind}`;
    case "delete":
      return `delete${part} ${article} ${kind}`;
    case "deletecollection":
      return `delete collection of ${kind}`;
    case "get":
      return `read${part} the specified ${kind}`;
    case "put":
      return `replace${part} the specified ${kind}`;
    case "patch":
      return `partially update${part} the specified ${kind}`;
  }
}

/** `createConfBosunDevV1NamespacedWidget` */
function operationId(
  { group, version, kind, namespaced }: Resource,
  path: string,
  verb: Verb,
  subresource = "",
): string {
  const name = {
    list: "list",
    post: "create",
    deletecollection: "delete",
    get: "read",
    put: "replace",
    delete: "delete",
    patch: "patch",
  }[verb];
  const prefix = `${name}${upperFirst(groupWord(group))}${upperFirst(version)}`;
  const collection = verb === "deletecollection" ? "Collection" : "";
  if (!namespaced || path.includes("{namespace}")) {
    return `${prefix}${collection}${namespaced ? "Namespaced" : ""}${kind}${upperFirst(subresource)}`;
  }
  return `${prefix}${kind}ForAllNamespaces`;
}

/** The group as part of a name: `core`, `coordination` for coordination.k8s.io, `confBosunDev` for conf.bosun.dev. */
function groupWord(group: string): string {
  if (group === "") return "core";
  const [first = "", ...rest] = group.replace(/\.k8s\.io$/, "").split(/[.-]/);
  return [first, ...rest.map(upperFirst)].join("");
}

function upperFirst(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function lowerFirst(text: string): string {
  return `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;
}

function parametersOf(verb: Verb): readonly JsonObject[] {
  switch (verb) {
    case "list":
    case "deletecollection":
      return parameters.ListOptions;
    case "post":
      return parameters.CreateOptions;
    case "put":
      return parameters.UpdateOptions;
    case "patch":
      return parameters.PatchOptions;
    case "delete":
      return parameters.DeleteOptions;
    case "get":
      return parameters.ListOptions.filter(({ name }) => name === "resourceVersion");
  }
}

/** Which patches a kind takes: those of Kubernetes' own know how to merge lists by their keys. */
function patchTypes({ builtin }: Resource): readonly string[] {
  const all = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"];
  return builtin === undefined ? all : [...all, "application/strategic-merge-patch+json"];
}

function bodyOf(resource: Resource, verb: Verb, subresource: string | undefined): JsonObject | undefined {
  const wholes = ["application/json", "application/yaml"];
  switch (verb) {
    case "post":
    case "put":
      return { content: contentOf(wholes, objectName(resource, subresource)), required: true };
    case "patch":
      return { content: contentOf(patchTypes(resource), `${metaPrefix}Patch`), required: true };
    case "delete":
      return { content: contentOf(wholes, `${metaPrefix}DeleteOptions`) };
    default:
      return undefined;
  }
}

function responsesOf(resource: Resource, verb: Verb, subresource: string | undefined): JsonObject {
  const name =
    verb === "delete" || verb === "deletecollection"
      ? `${metaPrefix}Status`
      : verb === "list"
        ? schemaName(resource, resource.listKind)
        : objectName(resource, subresource);
  const content = contentOf(["application/json", "application/yaml"], name);
  const answer = (description: string): JsonObject => ({ description, content });
  return {
    "200": answer("OK"),
    ...(verb === "post" || verb === "put" ? { "201": answer("Created") } : {}),
    ...(verb === "post" || verb === "delete" ? { "202": answer("Accepted") } : {}),
    "401": { description: "Unauthorized" },
  };
}

function objectName(resource: Resource, subresource: string | undefined): string {
  return subresource === "scale" ? scaleName : schemaName(resource, resource.kind);
}

function contentOf(types: readonly string[], schema: string): JsonObject {
  return Object.fromEntries(types.map((type) => [type, { schema: reference(schema) }]));
}
