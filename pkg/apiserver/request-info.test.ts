import { expect, test } from "vitest";
import { requestInfo } from "./request-info.ts";

const cases: readonly [request: string, want: string][] = [
  ["GET /apis/a.example/v1/widgets", "list a.example/v1 widgets"],
  ["GET /apis/a.example/v1/widgets?watch=true", "watch a.example/v1 widgets"],
  ["GET /apis/a.example/v1/widgets?watch=0", "list a.example/v1 widgets"],
  ["GET /apis/a.example/v1/namespaces/default/widgets/w", "get a.example/v1 widgets in default named w"],
  ["HEAD /api/v1/namespaces/default/events/e", "get /v1 events in default named e"],
  ["PATCH /apis/a.example/v1/gadgets/g/status", "patch a.example/v1 gadgets/status named g"],
  ["POST /apis/a.example/v1/namespaces/default/widgets", "create a.example/v1 widgets in default"],
  ["PUT /apis/a.example/v1/gadgets/g", "update a.example/v1 gadgets named g"],
  ["DELETE /apis/a.example/v1/gadgets/g", "delete a.example/v1 gadgets named g"],
  ["DELETE /apis/a.example/v1/gadgets", "deletecollection a.example/v1 gadgets"],
  ["GET /api/v1/namespaces", "list /v1 namespaces"],
  ["GET /api/v1/namespaces/n", "get /v1 namespaces in n named n"],
  ["PUT /api/v1/namespaces/n/finalize", "update /v1 namespaces/finalize in n named n"],
  ["GET //apis//a.example/v1/widgets/", "list a.example/v1 widgets"],
  ["GET /api/v1/watch/events", "watch /v1 events"],
  [
    "GET /apis/a.example/v1/watch/namespaces/default/widgets/w",
    "watch a.example/v1 widgets in default named w",
  ],
  ["DELETE /apis/a.example/v1/watch/gadgets/g", "delete a.example/v1 gadgets named g"],
  ["GET /api/v1/watch", "list /v1 watch"],
  ["TRACE /api/v1/namespaces", " /v1 namespaces"],
  ["GET /apis/a.example/v1", "get path"],
  ["GET /api/v1", "get path"],
  ["GET /", "get path"],
  ["POST /healthz", "post path"],
  ["GET /openapi/v3/apis/a.example/v1", "get path"],
];

test.each(cases)("%s is: %s", (request, want) => {
  const [method = "", target = ""] = request.split(" ");
  const { verb, resource } = requestInfo(method, new URL(`http://localhost${target}`));
  const what =
    resource === undefined
      ? "path"
      : `${resource.group}/${resource.version} ${resource.resource}${resource.subresource && `/${resource.subresource}`}${resource.namespace && ` in ${resource.namespace}`}${resource.name && ` named ${resource.name}`}`;
  expect(`${verb} ${what}`).toBe(want);
});
