/** What the log keeps about people's files, as `FileText`s: paths below `.bosun/` are never a person's. */
import type { FileText } from "../storage.ts";
import type { JsonMap } from "./json.ts";

/** An object whose document is gone from its file. */
export interface MissingObject {
  /** The file that had it. */
  path: string;
  /** The document as it was last. */
  value: JsonMap;
  /** Of the object; absent in records of earlier releases. Another object of the name isn't missing. */
  uid?: string | undefined;
}

export interface Records {
  /** By path: what Bosun last read from, or wrote to, the file. */
  readonly texts: ReadonlyMap<string, string>;
  /** By path: what Bosun was about to write. After a crash the file holds this text or the last one. */
  readonly projecting: ReadonlyMap<string, string>;
  /** By object id. */
  readonly missing: ReadonlyMap<string, MissingObject>;
  /** Takes over what was committed. */
  apply(files: readonly FileText[]): void;
}

const projectingPrefix = ".bosun/projecting/";
const missingPrefix = ".bosun/missing/";

/** @param initial - what the log has kept of files, under all prefixes */
export function openRecords(initial: readonly FileText[]): Records {
  const texts = new Map<string, string>();
  const projecting = new Map<string, string>();
  const missing = new Map<string, MissingObject>();
  const records: Records = {
    texts,
    projecting,
    missing,
    apply(files) {
      for (const { path, text } of files) {
        if (path.startsWith(projectingPrefix)) put(projecting, path.slice(projectingPrefix.length), text);
        else if (path.startsWith(missingPrefix)) {
          put(missing, path.slice(missingPrefix.length), text === undefined ? undefined : JSON.parse(text));
        } else put(texts, path, text);
      }
    },
  };
  records.apply(initial);
  return records;
}

/** Says that `text` is about to be written to `path`; undefined: that this is done. */
export function projectingRecord(path: string, text: string | undefined): FileText {
  return { path: projectingPrefix + path, text };
}

/** Says that an object is missing from the files, and what it was there last; undefined: that it is not. */
export function missingRecord(id: string, missing: MissingObject | undefined): FileText {
  return { path: missingPrefix + id, text: missing === undefined ? undefined : JSON.stringify(missing) };
}

function put<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
