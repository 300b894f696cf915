/** What the parts that keep people's files and objects together share. */
import type { KubeObject, ObjectKey } from "../../api/meta.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Admission, Edit, ResourceInfo, TransactResult } from "../admission.ts";
import type { FileSystem } from "../file-system.ts";
import type { FileText } from "../storage.ts";
import { type FileObject, type FileObjects, readFileObjects } from "./file-objects.ts";
import { type Folder, type Glance, openFolder } from "./folder.ts";
import { type MissingObject, openRecords, type Records } from "./records.ts";
import { type ReadYaml, rememberedYaml } from "./remembered-yaml.ts";
import type { Report } from "./report.ts";

export interface FilesStateOptions {
  /** `.claude-sessions`, absolute. */
  folder: string;
  admission: Admission;
  /** What the storage held of files when it was opened. */
  initialFiles: readonly FileText[];
  fs: FileSystem;
  clock: Clock;
  report: Report;
  /** An earlier look at the folder; without one the first read of what is new in it takes its own. */
  glance?: Glance | undefined;
  /** Absent: one of its own that remembers the last texts. */
  readYaml?: ReadYaml;
}

export interface Refusal {
  text: string;
  /** What is wrong with which object, wherever in the text it stands. */
  faults: readonly string[];
  /** For people, a problem each. */
  messages: readonly string[];
}

export interface PlacedObject extends FileObject {
  path: string;
}

export interface FilesState {
  readonly root: string;
  readonly fs: FileSystem;
  readonly folder: Folder;
  readonly records: Records;
  readonly admission: Admission;
  readonly report: Report;
  readonly readYaml: ReadYaml;
  /** By object id: the document that the object lives in, of those that declare it. */
  readonly owners: Map<string, PlacedObject>;
  /** By path: what was refused and still stands there, so that it is told once. */
  readonly refused: Map<string, Refusal>;
  /** Ids of objects whose file may lag behind them. */
  readonly dirty: Set<string>;
  /** What `text`, of the file at `path`, declares. */
  objectsIn(path: string, text: string): FileObjects;
  /** All or nothing; the records are changed with what they record. */
  transact(edits: readonly Edit[], files: readonly FileText[]): Promise<TransactResult>;
  resourceOf(resource: string): ResourceInfo | undefined;
  addressOf(id: string): { resource: ResourceInfo; key: ObjectKey };
  /** The object's newest admitted state. */
  objectOf(id: string): KubeObject | undefined;
  /** What is recorded of an object that is there and missing from the files; undefined for one of its name made since. */
  missingOf(id: string): MissingObject | undefined;
}

export function openFilesState(options: FilesStateOptions): FilesState {
  const { admission, readYaml = rememberedYaml() } = options;
  const records = openRecords(options.initialFiles);
  const resources = admission.resources();
  const parsed = new Map<string, { text: string; objects: FileObjects }>();
  const state: FilesState = {
    root: options.folder,
    fs: options.fs,
    folder: openFolder(options, options.glance),
    records,
    admission,
    report: options.report,
    readYaml,
    owners: new Map(),
    refused: new Map(),
    dirty: new Set(),
    objectsIn(path, text) {
      const known = parsed.get(path);
      if (known?.text === text) return known.objects;
      const objects = readFileObjects(text, resources, readYaml);
      parsed.set(path, { text, objects });
      return objects;
    },
    async transact(edits, files) {
      const result = await admission.transact(edits, files);
      if (result.admitted) records.apply(files);
      return result;
    },
    resourceOf: (resource) => resources.find((known) => known.resource === resource),
    addressOf(id) {
      const at = id.lastIndexOf("/");
      const name = id.slice(0, at);
      // A kind that is served no more is still named in what is told.
      const resource = state.resourceOf(name) ?? {
        resource: name,
        apiVersion: "",
        kind: name,
        file: undefined,
      };
      return { resource, key: { namespace: "default", name: id.slice(at + 1) } };
    },
    objectOf(id) {
      const { resource, key } = state.addressOf(id);
      return admission.newest(resource.resource, key);
    },
    missingOf(id) {
      const [missing, object] = [records.missing.get(id), state.objectOf(id)];
      if (missing === undefined || object === undefined) return undefined;
      return missing.uid === undefined || missing.uid === object.metadata.uid ? missing : undefined;
    },
  };
  return state;
}
