/** The requests that fuzzing starts from: the recorded conformance scenarios, Bosun's samples, Kubernetes' own kinds. */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse, parseAllDocuments } from "yaml";
import { builtinCorpus } from "./builtin-corpus.ts";
import type { FuzzRequest } from "./request.ts";

const root = path.resolve(import.meta.dirname, "../..");

const fuzzGroup = "fuzz.bosun.dev";
const ownGroups = /(?<=["./])(?:conf\.)?bosun\.dev(?=["/])/g;

/** As the conformance runner has them. */
const variables: Readonly<Record<string, string>> = {
  group: "conf.bosun.dev",
  api: "/apis/conf.bosun.dev/v1",
  widgets: "/apis/conf.bosun.dev/v1/namespaces/default/widgets",
  gizmos: "/apis/conf.bosun.dev/v1/namespaces/default/gizmos",
  gadgets: "/apis/conf.bosun.dev/v1/gadgets",
  leases: "/apis/coordination.k8s.io/v1/namespaces/default/leases",
  events: "/api/v1/namespaces/default/events",
  evts: "/apis/events.k8s.io/v1/namespaces/default/events",
};

const contentTypes: Readonly<Record<string, string>> = {
  json: "application/json",
  yaml: "application/yaml",
  merge: "application/merge-patch+json",
  jsonpatch: "application/json-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
};

const accepts: Readonly<Record<string, string>> = {
  table: "application/json;as=Table;v=v1;g=meta.k8s.io",
  partial: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
  partiallist: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
};

interface Step {
  method?: string;
  path?: string;
  query?: Record<string, unknown>;
  headers?: Record<string, string | null>;
  type?: string;
  accept?: string;
  body?: unknown;
  obj?: unknown;
  rawBody?: string;
}

/**
 * Every request of the scenarios, then writes of each sample, definition and some of Kubernetes' own kinds. What a scenario takes from an earlier
 * answer stands as `$(NAME)`: the sender puts in what it saw last under that name, so that a resourceVersion is a real
 * one.
 */
export function corpus(): FuzzRequest[] {
  const scenarios = globSync("test/conformance/scenarios/http/*.yaml", { cwd: root }).sort();
  const steps = scenarios.flatMap(
    (file) => (parse(readFileSync(path.join(root, file), "utf8")) as { steps: Step[] }).steps,
  );
  const recorded = steps.filter((step) => step.path !== undefined).map(requestOf);
  const samples = documents("manifests/samples/*.yaml").flatMap(writesOf);
  const definitions = [...documents("test/conformance/crds/*.yaml"), ...documents("crds/*.yaml")].map(
    definitionWrites,
  );
  return [
    ...recorded,
    ...samples,
    ...definitions.flatMap(({ made }) => made),
    // By definitions that were made worse: objects are judged by their patterns and rules.
    ...[...recorded, ...samples]
      .filter(isCreation)
      .filter((_, index) => index % 4 === 0)
      .map(ofFuzzGroup),
    ...definitions.map(({ removed }) => removed),
    ...builtinCorpus(),
    ...plainReads,
  ];
}

const plainReads: FuzzRequest[] = [
  "/api",
  "/apis",
  "/api/v1",
  "/api/v1/namespaces",
  "/apis/bosun.dev/v1alpha1",
  "/apis/bosun.dev/v1alpha1/projects",
  "/openapi/v2",
  "/openapi/v3",
  "/openapi/v3/apis/bosun.dev/v1alpha1",
  "/openapi/v3/apis/conf.bosun.dev/v1",
  "/version",
  "/healthz",
  "/readyz",
  "/metrics",
].map((at) => ({
  method: "GET",
  path: at,
  query: [],
  headers: { accept: "application/json" },
  body: undefined,
}));

function requestOf(step: Step): FuzzRequest {
  const whole = filled(step) as Step;
  const hasBody = whole.body !== undefined || whole.obj !== undefined || whole.rawBody !== undefined;
  const type = whole.type ?? (hasBody ? "json" : undefined);
  const headers: Record<string, string> = {
    accept: accepts[whole.accept ?? ""] ?? whole.accept ?? "application/json",
  };
  if (type !== undefined) headers["content-type"] = contentTypes[type] ?? type;
  for (const [name, value] of Object.entries(whole.headers ?? {}))
    if (value !== null) headers[name.toLowerCase()] = String(value);
  const [at = "", search = ""] = (whole.path ?? "").split("?");
  const inPath = [...new URLSearchParams(search)];
  return {
    method: whole.method ?? "GET",
    path: at,
    query: [
      ...inPath,
      ...Object.entries(whole.query ?? {}).map(([name, value]) => [name, String(value)] as const),
    ],
    headers,
    body: bodyOf(whole),
  };
}

function bodyOf({ body, obj, rawBody }: Step): Buffer | undefined {
  if (rawBody !== undefined) return Buffer.from(rawBody);
  if (obj !== undefined) return json({ apiVersion: "conf.bosun.dev/v1", ...(obj as object) });
  return body === undefined ? undefined : json(body);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** The runner's variables put in; what it would have captured stays. */
function filled(value: unknown): unknown {
  if (typeof value === "string") {
    const repeat = /^\$\(repeat:(.+):(\d+)\)$/s.exec(value);
    if (repeat?.[1] !== undefined) return repeat[1].repeat(Number(repeat[2]));
    return value.replace(/\$\(([\w-]+)\)/g, (all, name: string) => variables[name] ?? all);
  }
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [String(filled(key)), filled(child)]),
  );
}

interface Document {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
}

function documents(pattern: string): Document[] {
  return globSync(pattern, { cwd: root })
    .filter((file) => !/kustomization/i.test(file))
    .sort()
    .flatMap((file) => [...parseAllDocuments(readFileSync(path.join(root, file), "utf8"))])
    .map((document) => document.toJS() as Document | null)
    .filter((document) => document !== null);
}

/** A sample created, applied, replaced, patched, read and deleted. */
function writesOf(document: Document): FuzzRequest[] {
  const plural = `${document.kind.toLowerCase().replace(/y$/, "ie")}s`;
  const collection = `/apis/${document.apiVersion}/namespaces/default/${plural}`;
  const named = `${collection}/${document.metadata.name}`;
  const request = (method: string, at: string, type: string, body: unknown): FuzzRequest => ({
    method,
    path: at,
    query: type === "apply" ? [["fieldManager", "fuzz"]] : [],
    headers: { accept: "application/json", "content-type": contentTypes[type] ?? type },
    body: json(body),
  });
  return [
    request("POST", collection, "json", document),
    request("PATCH", named, "apply", document),
    request("PUT", named, "json", {
      ...document,
      metadata: { ...document.metadata, resourceVersion: "$(rv)" },
    }),
    request("PATCH", named, "merge", { metadata: { labels: { a: "b" } } }),
    request("PATCH", `${named}/status`, "merge", { status: { conditions: [] } }),
    request("PATCH", `${named}/scale`, "merge", { spec: { replicas: 2 } }),
    { method: "GET", path: named, query: [], headers: { accept: "application/json" }, body: undefined },
    { method: "DELETE", path: named, query: [], headers: { accept: "application/json" }, body: undefined },
  ];
}

function isCreation({ method, path }: FuzzRequest): boolean {
  return method === "POST" && /\/apis\/(conf\.)?bosun\.dev\//.test(path);
}

function ofFuzzGroup(request: FuzzRequest): FuzzRequest {
  const text = request.body?.toString("utf8").replaceAll(ownGroups, fuzzGroup);
  return {
    ...request,
    path: request.path.replace(ownGroups, fuzzGroup),
    body: text === undefined ? undefined : Buffer.from(text),
  };
}

/** A definition under a name of its own, so that the kinds which the rest is about stay. */
function definitionWrites(document: Document): { made: FuzzRequest[]; removed: FuzzRequest } {
  const text = JSON.stringify(document).replaceAll(ownGroups, fuzzGroup);
  const crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  const name = (JSON.parse(text) as Document).metadata.name;
  const headers = { accept: "application/json", "content-type": "application/json" };
  const made: FuzzRequest[] = [
    { method: "POST", path: crds, query: [], headers, body: Buffer.from(text) },
    {
      method: "PATCH",
      path: `${crds}/${name}`,
      query: [["fieldManager", "fuzz"]],
      headers: { ...headers, "content-type": "application/apply-patch+yaml" },
      body: Buffer.from(text),
    },
  ];
  return {
    made,
    removed: { method: "DELETE", path: `${crds}/${name}`, query: [], headers, body: undefined },
  };
}
