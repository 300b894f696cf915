/** The objects that a person's file declares. */

import type { ObjectKey } from "../../api/meta.ts";
import { writeJson } from "../../encoding/json.ts";
import { parseYaml, type YamlProblem } from "../../encoding/yaml.ts";
import type { ResourceInfo } from "../admission.ts";
import { isJsonMap, type JsonMap, type Path } from "./json.ts";
import type { ReadYaml } from "./remembered-yaml.ts";

/** An object as a file has it. */
export interface FileObject {
  /** Identity is kind and name, not path: `bosun.dev/projects/default/retry-uploads`. */
  id: string;
  resource: ResourceInfo;
  key: ObjectKey;
  /** The document, as kubectl would send it. */
  value: JsonMap;
  /** Which of the text's documents. */
  index: number;
  /** The line, from 1, of the value at `path` or of its nearest parent. */
  line(path: Path): number;
}

export type FileObjects =
  | { valid: true; objects: readonly FileObject[] }
  | { valid: false; problems: readonly Pick<YamlProblem, "line" | "message">[] };

/** The objects in a file's text, or everything that is wrong with it: one bad document makes the whole file invalid. */
export function readFileObjects(
  text: string,
  resources: readonly ResourceInfo[],
  read: ReadYaml = parseYaml,
): FileObjects {
  const broken = text.indexOf("\uFFFD");
  if (broken !== -1) {
    const line = text.slice(0, broken).split("\n").length;
    return {
      valid: false,
      problems: [{ line, message: "The file is not UTF-8. Save it in that encoding." }],
    };
  }
  const parsed = read(text);
  if (!parsed.valid) return parsed;
  const objects: FileObject[] = [];
  const problems: Pick<YamlProblem, "line" | "message">[] = [];
  for (const [index, document] of parsed.documents.entries()) {
    const line = (path: Path) => document.position(path).line;
    const { value } = document;
    const problem = (path: Path, message: string) => problems.push({ line: line(path), message });
    if (!isJsonMap(value)) {
      problem([], "A document must be a map with apiVersion, kind and metadata.");
      continue;
    }
    const { apiVersion, kind, metadata } = value;
    const resource = resources.find((known) => known.apiVersion === apiVersion && known.kind === kind);
    if (resource === undefined) {
      problem(["kind"], unknownKind(value, resources));
      continue;
    }
    if (!isJsonMap(metadata) || typeof metadata.name !== "string" || metadata.name === "") {
      problem(["metadata", "name"], "metadata.name must be a string that is not empty.");
      continue;
    }
    if (metadata.namespace !== undefined && metadata.namespace !== "default") {
      problem(
        ["metadata", "namespace"],
        'metadata.namespace must be "default" or absent: files have one namespace.',
      );
      continue;
    }
    const key = { namespace: "default", name: metadata.name };
    objects.push({ id: objectId(resource.resource, key.name), resource, key, value, index, line });
  }
  return problems.length > 0 ? { valid: false, problems } : { valid: true, objects };
}

/** Names an object of the one namespace that people's files are of. */
export function objectId(resource: string, name: string): string {
  return `${resource}/${name}`;
}

/** What a document is that is none of `resources`, and what to write. */
function unknownKind({ apiVersion, kind, items }: JsonMap, resources: readonly ResourceInfo[]): string {
  // What `kubectl get -o yaml` prints.
  if (Array.isArray(items))
    return `A ${say(kind)} is not read. Write each of its items as a document of its own, with --- between them.`;
  const known = resources.filter(({ file }) => file !== undefined);
  const versions = known.filter((each) => each.kind === kind).map((each) => each.apiVersion);
  if (versions.length > 0)
    return `A ${say(kind)} has apiVersion ${versions.join(" or ")}, not ${say(apiVersion)}.`;
  const kinds = known.map((each) => each.kind).join(", ");
  return `There is no kind ${say(kind)} in apiVersion ${say(apiVersion)}. Kinds: ${kinds}.`;
}

function say(value: unknown): string {
  return typeof value === "string" ? value : (writeJson(value) ?? "(none)");
}
