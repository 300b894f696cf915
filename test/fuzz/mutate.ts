/** Requests made worse: by what people and broken clients send, and by what nobody would. */
import type { Prng } from "../simulation/kernel/prng.ts";
import { mutateBytes, mutateJson } from "./mutate-body.ts";
import type { FuzzRequest } from "./request.ts";

/** `request` with a change or a few; a third of them as recorded, so that there are objects to be wrong about. */
export function mutate(request: FuzzRequest, others: readonly FuzzRequest[], random: Prng): FuzzRequest {
  if (random.chance(0.35)) return request;
  let changed = mutateOnce(request, others, random);
  while (random.chance(0.3)) changed = mutateOnce(changed, others, random);
  return changed;
}

function mutateOnce(request: FuzzRequest, others: readonly FuzzRequest[], random: Prng): FuzzRequest {
  const other = pick(others, random);
  const roll = random.below(100);
  if (roll < 45 && request.body !== undefined)
    return { ...request, body: mutateBody(request.body, other.body, random) };
  if (roll < 50) return { ...request, body: other.body };
  if (roll < 55) return { ...request, method: pick(methods, random) };
  if (roll < 70) return { ...request, path: mutatePath(request.path, other.path, random) };
  if (roll < 85) return { ...request, query: mutateQuery(request.query, random) };
  return { ...request, headers: mutateHeaders(request.headers, random) };
}

function mutateBody(body: Buffer, other: Buffer | undefined, random: Prng): Buffer {
  if (random.chance(0.25)) return mutateBytes(body, random);
  try {
    return mutateJson(JSON.parse(body.toString("utf8")), other, random);
  } catch {
    // YAML, or no JSON any more: then bytes.
    return mutateBytes(body, random);
  }
}

const methods = [
  "GET",
  "PUT",
  "POST",
  "PATCH",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "CONNECT",
  "get",
  "PROPFIND",
];

const segments = [
  "status",
  "scale",
  "finalize",
  "..",
  ".",
  "%2e%2e",
  "%2F",
  "%00",
  "%",
  "%zz",
  "%ff",
  "%C3%A9",
  "",
  "namespaces",
  "default",
  "kube-public",
  "nowhere",
  "watch",
  "a".repeat(300),
  "__proto__",
  "constructor",
  "hasOwnProperty",
  "widgets",
  "projects",
  "customresourcedefinitions",
  "namespaces%2Fdefault",
  "v1",
  "v2",
  "$(name)",
  ";",
  "*",
];

function mutatePath(path: string, other: string, random: Prng): string {
  const parts = path.split("/");
  const at = random.below(parts.length + 1);
  switch (random.below(6)) {
    case 0:
      return parts.toSpliced(at, 1).join("/");
    case 1:
      return parts.toSpliced(at, 0, pick(segments, random)).join("/");
    case 2:
      return parts.toSpliced(at, 1, pick(segments, random)).join("/");
    case 3:
      return [...parts, pick(segments, random)].join("/");
    case 4:
      return [...parts.slice(0, at), ...other.split("/").slice(at)].join("/");
    default:
      return other;
  }
}

const queryNames = [
  "watch",
  "limit",
  "continue",
  "labelSelector",
  "fieldSelector",
  "resourceVersion",
  "resourceVersionMatch",
  "timeoutSeconds",
  "allowWatchBookmarks",
  "sendInitialEvents",
  "dryRun",
  "fieldManager",
  "fieldValidation",
  "force",
  "propagationPolicy",
  "gracePeriodSeconds",
  "orphanDependents",
  "pretty",
  "timeout",
  "includeObject",
  "__proto__",
];

const queryValues = [
  "",
  "true",
  "false",
  "1",
  "0",
  "-1",
  "500",
  "1.5",
  "9223372036854775808",
  "NaN",
  "All",
  "Strict",
  "Warn",
  "Ignore",
  "Exact",
  "NotOlderThan",
  "Foreground",
  "Orphan",
  "None",
  "Object",
  "$(rv)",
  "$(continue)",
  "a=b",
  "a in (b,c),!d",
  "a in (",
  "!",
  "a notin ()",
  "==",
  "metadata.name=a",
  "metadata.name!=a,metadata.namespace=default",
  "spec.color=red",
  "spec.nothing=1",
  "metadata.name=a\\,b",
  "x".repeat(300),
  "é\u0000\uD800",
  "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhIn0",
];

function mutateQuery(query: FuzzRequest["query"], random: Prng): FuzzRequest["query"] {
  const pair = [pick(queryNames, random), pick(queryValues, random)] as const;
  const at = random.below(query.length + 1);
  const known = query[at];
  if (known !== undefined && random.chance(0.3)) return query.toSpliced(at, 1);
  if (known !== undefined && random.chance(0.5)) return query.toSpliced(at, 1, [known[0], pair[1]]);
  return query.toSpliced(at, 0, pair);
}

const headerValues: Readonly<Record<string, readonly string[]>> = {
  "content-type": [
    "application/json",
    "application/yaml",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/vnd.kubernetes.protobuf",
    "application/cbor",
    "application/json; charset=utf-16",
    "application/json;",
    "text/plain",
    "",
    "*/*",
    "a".repeat(2000),
  ],
  accept: [
    "application/json",
    "application/yaml",
    "*/*",
    "text/html",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;as=Nothing;v=v1;g=meta.k8s.io",
    "application/vnd.kubernetes.protobuf",
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    ";;;,,,q=",
    "",
  ],
  "accept-encoding": ["gzip", "br", "identity;q=0", "*"],
  "content-encoding": ["gzip", "identity", "deflate"],
  "user-agent": ["", "kubectl/v1.32.0 (linux/amd64)", "/", "é".repeat(10), "x".repeat(3000)],
  "if-none-match": ["*", '"x"'],
  range: ["bytes=0-1"],
  expect: ["100-continue", "nonsense"],
  upgrade: ["websocket"],
  "x-http-method-override": ["DELETE"],
  "impersonate-user": ["admin"],
  cookie: ["a=b"],
  origin: ["https://evil.example"],
  authorization: ["Bearer x", "Basic YTpi", ""],
};

function mutateHeaders(headers: FuzzRequest["headers"], random: Prng): FuzzRequest["headers"] {
  const names = Object.keys(headerValues);
  // The two that decide how a request is read, more often than all others.
  const name = random.chance(0.7) ? pick(["content-type", "accept"], random) : pick(names, random);
  if (random.chance(0.2)) {
    const { [name]: _, ...rest } = headers;
    return rest;
  }
  return { ...headers, [name]: pick(headerValues[name] ?? [""], random) };
}

/** One of `from`, which must not be empty. */
export function pick<T>(from: readonly T[], random: Prng): T {
  return from[random.below(from.length)] as T;
}
