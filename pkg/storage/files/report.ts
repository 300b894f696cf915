/** What a person is told about their files; the wiring makes Kubernetes Events of it. */
import type { FileObject } from "./file-objects.ts";

export const reportReasons = {
  /** A file can't be read as objects; what it last said stays in force. */
  invalidFile: "InvalidFile",
  /** An edit was refused by the schema or a rule; what the file last said stays in force. */
  editRejected: "EditRejected",
  /** An edit replaced a value that was set through the API meanwhile. */
  editOverrode: "EditOverrode",
  /** Two files declare one object; the one in force stays. */
  duplicateObject: "DuplicateObject",
  /** Objects are gone from the files and are kept until a person says that they should go. */
  deletionHeld: "DeletionHeld",
  /** An API write could not be put into its file. */
  projectionFailed: "ProjectionFailed",
} as const;

export interface ReportedObject {
  apiVersion: string;
  kind: string;
  namespace: string;
  name: string;
}

export interface FileReport {
  /** Undefined: it concerns the folder, hence the Workspace. */
  object: ReportedObject | undefined;
  type: "Normal" | "Warning";
  reason: (typeof reportReasons)[keyof typeof reportReasons];
  message: string;
}

export type Report = (report: FileReport) => void;

export function reportedObject({ resource, key }: Pick<FileObject, "resource" | "key">): ReportedObject {
  return { apiVersion: resource.apiVersion, kind: resource.kind, ...key };
}
