import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { isBuilt, packageRoot } from "../../../pkg/system/package-root.ts";

/** A structural schema, as far as it says which fields there are. */
export interface Fields {
  properties?: Readonly<Record<string, Fields>>;
  items?: Fields;
  additionalProperties?: Fields | boolean;
}

/** A CustomResourceDefinition, as far as it says what is served. */
export interface Definition {
  spec: {
    group: string;
    names: { kind: string; plural: string };
    versions: readonly {
      name: string;
      subresources?: Readonly<Record<string, unknown>>;
      schema: { openAPIV3Schema: Fields };
    }[];
  };
}

/** The definitions that come with Bosun, parsed. The package has them as JSON too, which is read at once. */
export function ownDefinitions(): readonly Definition[] {
  if (isBuilt()) return JSON.parse(readFileSync(path.join(packageRoot(), "dist/crds.json"), "utf8"));
  const folder = path.join(packageRoot(), "crds");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .map((name) => parse(readFileSync(path.join(folder, name), "utf8")));
}
