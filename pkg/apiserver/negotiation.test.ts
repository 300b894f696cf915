import { expect, test } from "vitest";
import { isObjectForm, negotiate } from "./negotiation.ts";

const table = "application/json;as=Table;v=v1;g=meta.k8s.io";
const protobuf = "application/vnd.kubernetes.protobuf";

test.each<{ accept: string | undefined; want: string }>([
  { accept: undefined, want: "json" },
  { accept: "", want: "json" },
  { accept: "*/*", want: "json" },
  { accept: "application/*", want: "json" },
  { accept: "application/yaml", want: "yaml" },
  { accept: "text/html, application/json", want: "json" },
  { accept: `${protobuf}, application/json`, want: "json" },
  { accept: `${protobuf},*/*`, want: "json" },
  { accept: "application/yaml;q=0.5, application/json;q=0.9", want: "json" },
  { accept: "*/*, application/yaml", want: "yaml" },
  { accept: "application/json;stream=watch", want: "json" },
  { accept: table, want: "json Table v1" },
  { accept: `${table},${table.replace("v1", "v1beta1")},application/json`, want: "json Table v1" },
  { accept: "application/yaml;as=Table;v=v1beta1;g=meta.k8s.io", want: "yaml Table v1beta1" },
  { accept: `${table.replace("Table", "Chart")},application/json`, want: "json" },
  { accept: table.replace("v1", "v2"), want: "406" },
  { accept: "application/json;as=Table;v=v1;g=other", want: "406" },
  { accept: protobuf, want: "406" },
  { accept: "text/html", want: "406" },
  { accept: "application/json;stream=other", want: "406" },
])("$accept is answered with $want", ({ accept, want }) => {
  expect(chosen(accept)).toBe(want);
});

test.each<{ url: string; agent: string; want: boolean }>([
  { url: "/x", agent: "kubectl/v1.32.0", want: false },
  { url: "/x", agent: "curl/8.0", want: true },
  { url: "/x?pretty=false", agent: "curl/8.0", want: false },
  { url: "/x?pretty=true", agent: "", want: true },
  { url: "/x?pretty=1", agent: "", want: true },
  { url: "/x?pretty=yes", agent: "", want: false },
])("$url for $agent is indented: $want", ({ url, agent, want }) => {
  expect(negotiate({ headers: { "user-agent": agent }, url }).pretty).toBe(want);
});

function chosen(accept: string | undefined): string {
  try {
    const headers = accept === undefined ? {} : { accept };
    const { type, as } = negotiate({ headers, url: "/" }, isObjectForm);
    return as === undefined ? type : `${type} ${as.kind} ${as.version}`;
  } catch (error) {
    return String((error as { code: number }).code);
  }
}
