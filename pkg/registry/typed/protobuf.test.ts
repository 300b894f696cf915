import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../json.ts";
import { selfSubjectReview } from "./kinds/authentication.ts";
import { selfSubjectAccessReview, subjectAccessReview } from "./kinds/authorization.ts";
import { lease } from "./kinds/coordination.ts";
import { event, namespace } from "./kinds/core.ts";
import { deleteOptions } from "./kinds/meta.ts";
import { openEnvelope, readProtobuf } from "./protobuf.ts";
import { readTyped } from "./read.ts";
import { writeProtobufBody } from "./testing/write-protobuf.ts";
import type { StructType } from "./types.ts";

const meta = {
  name: "a",
  generation: -1,
  creationTimestamp: "2020-01-01T00:00:00Z",
  labels: { app: "x", "b/c": "" },
  ownerReferences: [{ apiVersion: "v1", kind: "K", name: "o", uid: "u", controller: true }],
  finalizers: ["one", "two"],
  managedFields: [{ manager: "m", operation: "Update", fieldsV1: { "f:spec": {} } }],
};

describe("a protobuf body", () => {
  test.each<[StructType, JsonObject]>([
    [
      namespace,
      {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: meta,
        spec: { finalizers: ["kubernetes"] },
        status: { phase: "Active" },
      },
    ],
    [
      lease,
      {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: meta,
        spec: {
          holderIdentity: "ä",
          leaseDurationSeconds: 15,
          renewTime: "2020-01-01T00:00:01.500001Z",
          leaseTransitions: 0,
        },
      },
    ],
    [
      event,
      {
        apiVersion: "v1",
        kind: "Event",
        metadata: meta,
        involvedObject: { kind: "K", name: "k" },
        count: 2147483647,
        series: { count: 2, lastObservedTime: "1969-12-31T23:59:59.000001Z" },
        firstTimestamp: null,
        type: "Normal",
      },
    ],
    [
      subjectAccessReview,
      {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: {
          resourceAttributes: { verb: "get", resource: "pods" },
          user: "u",
          groups: ["a", "b"],
          extra: { scopes: ["x", "y"] },
        },
      },
    ],
    [
      deleteOptions,
      {
        apiVersion: "v1",
        kind: "DeleteOptions",
        gracePeriodSeconds: 0,
        preconditions: { uid: "u" },
        propagationPolicy: "Foreground",
        dryRun: ["All"],
      },
    ],
  ])("says what the JSON says", (type, object) => {
    const { apiVersion, kind, ...fields } = object;
    const read = readProtobufBody(type, writeProtobufBody(type, object));
    expect(read).toMatchObject({ apiVersion, kind });
    expect(readTyped(type, read)).toEqual(readTyped(type, fields));
  });

  test.each<[string, StructType, string, object]>([
    [
      "auth can-i create widgets",
      selfSubjectAccessReview,
      "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373526576696577124e0a100a0012001a0022002a0032003800420012300a2e0a0764656661756c7412066372656174651a0c746573742e6578616d706c6522002a077769646765747332003a001a08080012001a0020001a002200",
      {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: {
          resourceAttributes: {
            namespace: "default",
            verb: "create",
            group: "test.example",
            resource: "widgets",
          },
        },
      },
    ],
    [
      "create namespace team",
      namespace,
      "6b3873000a0f0a02763112094e616d657370616365121c0a140a047465616d12001a0022002a0032003800420012001a020a001a002200",
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "team", creationTimestamp: null } },
    ],
    [
      "auth whoami",
      selfSubjectReview,
      "6b3873000a2d0a1861757468656e7469636174696f6e2e6b38732e696f2f7631121153656c665375626a656374526576696577121a0a100a0012001a0022002a0032003800420012060a040a0012001a002200",
      { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
    ],
  ])("of `kubectl %s` is read, as 1.33 sends it", (_command, type, hex, wanted) => {
    expect(readProtobufBody(type, Buffer.from(hex, "hex"))).toMatchObject(wanted);
  });

  test.each([
    ["", "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"],
    ["6b387300ff", "unexpected EOF"],
    ["6b38730012ff01", "unexpected EOF"],
    ["6b38730000", "proto: illegal tag 0 (wire type 0)"],
    ["6b38730010", "unexpected EOF"],
    ["6b3873001001", "proto: wrong wireType = 0 for field Raw"],
  ])("of the bytes %s is refused", (hex, why) => {
    expect(() => readProtobufBody(namespace, Buffer.from(hex, "hex"))).toThrow(new SyntaxError(why));
  });

  test("of any bytes is read or refused, and nothing else", () => {
    const body = writeProtobufBody(event, {
      apiVersion: "v1",
      kind: "Event",
      metadata: meta,
      series: { count: 2 },
    });
    const spoilt = fc.array(fc.tuple(fc.nat(body.length - 1), fc.nat(255)), { maxLength: 8 });
    fc.assert(
      fc.property(spoilt, fc.nat(body.length), (edits, length) => {
        const bytes = Buffer.from(body);
        for (const [at, value] of edits) bytes[at] = value;
        try {
          readProtobufBody(event, bytes.subarray(0, length));
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function readProtobufBody(type: StructType, body: Uint8Array): JsonObject {
  const { apiVersion, kind, message } = openEnvelope(body);
  return { apiVersion, kind, ...readProtobuf(type, message) };
}
