import { describe, expect, test } from "vitest";
import { reviewResources } from "../../registry/builtin/review.ts";
import { apiVersionOf, type Resource } from "../../registry/resource.ts";
import { admin, reader, type User } from "../auth/user.ts";
import { answerReview } from "./review.ts";

const { selfSubjectAccess, subjectAccess, localSubjectAccess, selfSubjectRules, selfSubject } =
  reviewResources;

describe("a review", () => {
  test.each<[string, User, object, boolean]>([
    ["who may do all creates", admin, { verb: "create", resource: "widgets" }, true],
    ["a reader lists", reader, { verb: "list", resource: "widgets" }, true],
    ["a reader does not create", reader, { verb: "create", resource: "widgets" }, false],
    ["a reader does not do everything", reader, { verb: "*", resource: "*" }, false],
  ])("says whether %s", (_name, user, resourceAttributes, allowed) => {
    expect(ask(selfSubjectAccess, user, { resourceAttributes })).toMatchObject({ status: { allowed } });
  });

  test("is answered about paths too", () => {
    const nonResourceAttributes = { path: "/healthz", verb: "get" };
    expect(ask(selfSubjectAccess, reader, { nonResourceAttributes })).toEqual({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      metadata: {},
      spec: { nonResourceAttributes },
      status: { allowed: true },
    });
  });

  test("asks about one of the two", () => {
    expect(() => ask(selfSubjectAccess, admin, {})).toThrow(
      '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
    const both = { resourceAttributes: {}, nonResourceAttributes: { path: "/", verb: "get" } };
    expect(() => ask(selfSubjectAccess, admin, both)).toThrow(
      'spec.nonResourceAttributes: Invalid value: {"Path":"/","Verb":"get"}: cannot be specified in combination with resourceAttributes',
    );
  });

  test.each([
    ["bosun:reader", [], false],
    ["somebody", ["system:masters"], true],
    ["somebody", [], false],
  ])("of %s in %j is answered for them, not for who asks", (user, groups, allowed) => {
    const spec = { user, groups, resourceAttributes: { verb: "delete", resource: "widgets" } };
    expect(ask(subjectAccess, admin, spec)).toMatchObject({ status: { allowed } });
  });

  test("within a namespace is about that namespace", () => {
    const spec = { user: "a", resourceAttributes: { verb: "get", resource: "widgets", namespace: "other" } };
    expect(() => ask(localSubjectAccess, admin, spec, "default")).toThrow(
      'spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace',
    );
  });

  test("tells who asks, and what they may do", () => {
    expect(ask(selfSubject, reader)).toMatchObject({
      status: { userInfo: { username: "bosun:reader", groups: ["bosun:readers", "system:authenticated"] } },
    });
    expect(ask(selfSubjectRules, reader, { namespace: "default" })).toMatchObject({
      status: {
        resourceRules: [{ verbs: ["get", "list", "watch"], apiGroups: ["*"], resources: ["*"] }],
        incomplete: false,
      },
    });
  });
});

function ask(resource: Resource, user: User, spec?: object, namespace?: string) {
  const posted = {
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    ...(spec === undefined ? {} : { spec }),
  };
  return answerReview(resource, posted, {
    user,
    namespace,
    fieldValidation: "Ignore",
    strictErrors: [],
    warn: () => {},
  });
}
