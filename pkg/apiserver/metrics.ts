import type { ServerResponse } from "node:http";
import type { Registry } from "../registry/registry.ts";
import type { Metrics } from "../runtime/metrics.ts";
import type { RequestInfo } from "./request-info.ts";

/** The figures of an API server, under the names that kube-apiserver gives them. */
export interface RequestMetrics {
  /** Follows a request until its response is closed. */
  follow(info: RequestInfo, dryRun: boolean, response: ServerResponse): void;
  /** Counts an event sent to a watch. */
  watchEvent(resource: { group: string; version: string; plural: string }): void;
}

/** Adds the figures of requests, and those of the registry, to `metrics`. */
export function requestMetrics(metrics: Metrics, registry: Registry): RequestMetrics {
  const requests = metrics.counter({
    name: "apiserver_request_total",
    help: "Requests answered, by what was asked and the code of the answer.",
    labels: ["code", "dry_run", "group", "resource", "scope", "subresource", "verb", "version"],
  });
  const durations = metrics.histogram({
    name: "apiserver_request_duration_seconds",
    help: "Time from a request's headers to the end of its answer; watches are left out.",
    labels: ["dry_run", "group", "resource", "scope", "subresource", "verb", "version"],
    buckets: [0.001, 0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 5, 10, 30, 60],
  });
  const inflight = metrics.gauge({
    name: "apiserver_current_inflight_requests",
    help: "Requests being answered now; watches are left out.",
    labels: ["request_kind"],
  });
  const watches = metrics.gauge({
    name: "apiserver_longrunning_requests",
    help: "Watches that are open now.",
    labels: ["group", "resource", "scope", "verb", "version"],
  });
  const watchEvents = metrics.counter({
    name: "apiserver_watch_events_total",
    help: "Events sent to watches.",
    labels: ["group", "resource", "version"],
  });
  metrics.observed(
    { name: "apiserver_resource_objects", help: "Objects stored.", labels: ["group", "resource"] },
    () => registry.counts().map(([{ group, plural }, count]) => [{ group, resource: plural }, count]),
  );
  metrics.observed(
    { name: "apiserver_storage_revision", help: "The newest resourceVersion that is synced.", labels: [] },
    () => [[{}, Number(registry.revision)]],
  );

  return {
    follow(info, dryRun, response) {
      const startMs = performance.now();
      const labels = labelsOf(info, registry);
      const kind = { request_kind: isMutating(info.verb) ? "mutating" : "readOnly" };
      const isWatch = info.verb === "watch";
      if (isWatch) watches.add(labels, 1);
      else inflight.add(kind, 1);
      response.once("close", () => {
        if (isWatch) watches.add(labels, -1);
        else inflight.add(kind, -1);
        const all = { ...labels, dry_run: dryRun ? "All" : "" };
        requests.add({ ...all, code: response.headersSent ? String(response.statusCode) : "0" });
        if (!isWatch) durations.observe(all, (performance.now() - startMs) / 1000);
      });
    },
    watchEvent: ({ group, version, plural }) => watchEvents.add({ group, version, resource: plural }),
  };
}

/**
 * Where nothing is served the labels stay empty: anybody may ask for whatever they can think of, and each new label is
 * memory that is never given back.
 */
function labelsOf({ verb, path, resource }: RequestInfo, registry: Registry) {
  const labels = {
    group: "",
    version: "",
    resource: "",
    subresource: "",
    scope: "",
    verb: verb.toUpperCase(),
  };
  if (!knownVerbs.has(verb)) labels.verb = "";
  if (resource === undefined) {
    const [root = ""] = path.split("/").filter((part) => part !== "");
    return { ...labels, subresource: knownRoots.has(root) ? `/${root}` : "" };
  }
  const { group, version, subresource, namespace, name } = resource;
  if (registry.resourceFor({ group, version, plural: resource.resource }) === undefined) return labels;
  const scope = name !== "" ? "resource" : namespace !== "" ? "namespace" : "cluster";
  const known = knownSubresources.has(subresource) ? subresource : "";
  return { ...labels, group, version, resource: resource.resource, subresource: known, scope };
}

const knownVerbs: ReadonlySet<string> = new Set([
  ...["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"],
  ...["head", "post", "put"],
]);

const knownSubresources: ReadonlySet<string> = new Set(["finalize", "scale", "status"]);

const knownRoots: ReadonlySet<string> = new Set([
  "api",
  "apis",
  "healthz",
  "livez",
  "metrics",
  "openapi",
  "readyz",
  "version",
]);

function isMutating(verb: string): boolean {
  return ["create", "update", "patch", "delete", "deletecollection", "post", "put"].includes(verb);
}
