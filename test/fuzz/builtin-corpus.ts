/** Requests for Kubernetes' own kinds, as kubectl from 1.32 on sends them: protobuf, and strategic merge patches. */

import { selfSubjectAccessReview } from "../../pkg/registry/typed/kinds/authorization.ts";
import { lease } from "../../pkg/registry/typed/kinds/coordination.ts";
import { event, namespace } from "../../pkg/registry/typed/kinds/core.ts";
import { deleteOptions } from "../../pkg/registry/typed/kinds/meta.ts";
import { writeProtobufBody } from "../../pkg/registry/typed/testing/write-protobuf.ts";
import type { FuzzRequest } from "./request.ts";

const protobuf = "application/vnd.kubernetes.protobuf";
const strategic = "application/strategic-merge-patch+json";
const reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const events = "/api/v1/namespaces/fuzz/events";

/** A namespace is made, used, patched and removed; a Lease is held; who may do what is asked. */
export function builtinCorpus(): FuzzRequest[] {
  return [
    request("POST", "/api/v1/namespaces", protobuf, writeProtobufBody(namespace, fuzzNamespace)),
    request("POST", events, protobuf, writeProtobufBody(event, anEvent)),
    request("PATCH", "/api/v1/namespaces/fuzz", strategic, { metadata: { labels: { a: "b", c: null } } }),
    request("PATCH", "/api/v1/namespaces/fuzz", strategic, {
      metadata: { finalizers: ["x/y"], "$setElementOrder/finalizers": ["x/y"] },
    }),
    request("PATCH", "/api/v1/namespaces/fuzz", strategic, {
      metadata: { "$deleteFromPrimitiveList/finalizers": ["x/y"], $retainKeys: ["labels"] },
    }),
    request("POST", "/apis/conf.bosun.dev/v1/namespaces/fuzz/widgets", "application/json", {
      apiVersion: "conf.bosun.dev/v1",
      kind: "Widget",
      metadata: { name: "in" },
      spec: {},
    }),
    request("POST", leases, protobuf, writeProtobufBody(lease, aLease)),
    request("PATCH", `${leases}/fuzz`, strategic, { spec: { leaseTransitions: 2 } }),
    request("DELETE", `${leases}/fuzz`, protobuf, writeProtobufBody(deleteOptions, options)),
    request("POST", reviews, protobuf, writeProtobufBody(selfSubjectAccessReview, aReview)),
    request("PUT", "/api/v1/namespaces/fuzz/finalize", "application/json", { ...fuzzNamespace, spec: {} }),
    request("DELETE", "/api/v1/namespaces/fuzz", protobuf, writeProtobufBody(deleteOptions, options)),
  ];
}

const fuzzNamespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "fuzz", labels: { a: "b" } } };
const anEvent = {
  apiVersion: "v1",
  kind: "Event",
  metadata: { name: "e", namespace: "fuzz" },
  involvedObject: { kind: "Widget", namespace: "fuzz", name: "in", uid: "u" },
  reason: "Seen",
  message: "It was seen.",
  count: 3,
  lastTimestamp: "2026-01-01T00:00:00Z",
};
const aLease = {
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "fuzz", namespace: "default" },
  spec: { holderIdentity: "me", leaseDurationSeconds: 15, renewTime: "2026-01-01T00:00:00.000000Z" },
};
const options = { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Foreground" };
const aReview = {
  apiVersion: "authorization.k8s.io/v1",
  kind: "SelfSubjectAccessReview",
  spec: { resourceAttributes: { verb: "get", group: "bosun.dev", resource: "projects" } },
};

function request(method: string, path: string, type: string, body: Buffer | object): FuzzRequest {
  return {
    method,
    path,
    query: [],
    headers: { accept: "application/json", "content-type": type },
    body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)),
  };
}
