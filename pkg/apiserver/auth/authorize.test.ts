import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { requestInfo } from "../request-info.ts";
import { isAllowed, refusal } from "./authorize.ts";
import { admin, anonymous, reader, type User } from "./user.ts";

const ask = (request: string) => {
  const [method = "", target = ""] = request.split(" ");
  return requestInfo(method, new URL(`http://localhost${target}`));
};
const widgets = "/apis/a.example/v1/namespaces/default/widgets";

describe("what each may do", () => {
  test.each<[User, allowed: string[], denied: string[]]>([
    [admin, [`DELETE ${widgets}`, "GET /", "POST /anything"], []],
    [
      reader,
      [
        `GET ${widgets}`,
        `GET ${widgets}?watch=true`,
        `GET ${widgets}/w/status`,
        "GET /openapi/v3",
        "GET /metrics",
        "HEAD /version",
        "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        "POST /apis/authentication.k8s.io/v1/selfsubjectreviews",
      ],
      [
        `POST ${widgets}`,
        `POST ${widgets}?dryRun=All`,
        `PUT ${widgets}/w`,
        `PATCH ${widgets}/w/scale`,
        `DELETE ${widgets}/w`,
        `DELETE ${widgets}`,
        `TRACE ${widgets}`,
        "POST /apis/authorization.k8s.io/v1/subjectaccessreviews",
        "POST /apis/a.example/v1/selfsubjectaccessreviews",
        "POST /healthz",
      ],
    ],
    [
      anonymous,
      ["GET /healthz", "GET /livez?verbose", "GET /readyz", "GET /version"],
      ["GET /livez/storage", "GET /metrics", "GET /api", "GET /", `GET ${widgets}`, "POST /version"],
    ],
  ])("$name", (user, allowed, denied) => {
    expect(allowed.filter((request) => !isAllowed(user, ask(request)))).toEqual([]);
    expect(denied.filter((request) => isAllowed(user, ask(request)))).toEqual([]);
  });
});

test("whatever the path, readers are allowed no method that may change something", () => {
  const words = [
    "api",
    "apis",
    "v1",
    "a.example",
    "watch",
    "namespaces",
    "default",
    "widgets",
    "w",
    "status",
    "",
  ];
  const paths = fc.array(fc.constantFrom(...words), { maxLength: 9 }).map((parts) => `/${parts.join("/")}`);
  const queries = fc.constantFrom("", "?watch=true", "?dryRun=All");
  const methods = fc.constantFrom("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "");
  fc.assert(
    fc.property(methods, paths, queries, (method, path, query) => {
      const info = requestInfo(method, new URL(`http://localhost/${path.replace(/^\/+/, "")}${query}`));
      // `get` in lower case is another method, which nobody serves.
      return (method === "get" && info.resource === undefined) || !isAllowed(reader, info);
    }),
  );
});

describe("refusals say it as kube-apiserver does", () => {
  test.each<[request: string, message: string, details: object]>([
    [
      `DELETE ${widgets}/w`,
      'widgets.a.example "w" is forbidden: User "bosun:reader" cannot delete resource "widgets" in API group "a.example" in the namespace "default"',
      { name: "w", group: "a.example", kind: "widgets" },
    ],
    [
      "PATCH /apis/a.example/v1/gadgets/g/status",
      'gadgets.a.example "g" is forbidden: User "bosun:reader" cannot patch resource "gadgets/status" in API group "a.example" at the cluster scope',
      { name: "g", group: "a.example", kind: "gadgets" },
    ],
    [
      "POST /api/v1/namespaces/default/events",
      'events is forbidden: User "bosun:reader" cannot create resource "events" in API group "" in the namespace "default"',
      { kind: "events" },
    ],
    ["POST /healthz", 'forbidden: User "bosun:reader" cannot post path "/healthz"', {}],
  ])("%s", (request, message, details) => {
    const refused = refusal(reader, ask(request));
    expect(refused).toMatchObject({ code: 403, reason: "Forbidden", message, details });
  });

  test("who shows nothing is asked who it is", () => {
    const refused = refusal(anonymous, ask("GET /api"));
    expect(refused).toMatchObject({ code: 401, reason: "Unauthorized", message: "Unauthorized" });
  });
});
