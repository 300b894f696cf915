import type { Resource } from "../../registry/resource.ts";
import { groupsOf } from "./resources.ts";

/** What `/` answers: the paths that there are, in order. */
export function rootPaths(resources: readonly Resource[]): { paths: readonly string[] } {
  const groups = groupsOf(resources).flatMap(({ name, versions }) => {
    const root = name === "" ? "/api" : `/apis/${name}`;
    return [root, ...versions.map(({ version }) => `${root}/${version}`)];
  });
  const others = [
    "/apis",
    "/healthz",
    "/livez",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    "/readyz",
    "/version",
  ];
  return { paths: [...groups, ...others].sort() };
}
