import type { Project } from "./generated.ts";
import type { OwnerReference } from "./meta.ts";
import { API_VERSION } from "./names.ts";

/** What names `project` as an owner: the garbage collector deletes what belongs to it when it is gone. */
export function projectOwner({ metadata }: Project): OwnerReference {
  return { apiVersion: API_VERSION, kind: "Project", name: metadata.name, uid: metadata.uid ?? "" };
}
