/** The log's files by name: `segment-00000003`, and `snapshot-00000003`, which holds all that came before it. */
export const fileMode = 0o600;
export const directoryMode = 0o700;

export interface LogFiles {
  /** Ascending. */
  segments: readonly number[];
  /** Ascending. */
  snapshots: readonly number[];
}

export function segmentName(sequence: number): string {
  return `segment-${String(sequence).padStart(8, "0")}`;
}

export function snapshotName(sequence: number): string {
  return `snapshot-${String(sequence).padStart(8, "0")}`;
}

/** Where the bytes of a torn tail are kept for a person to look at; nothing reads them. */
export function cutName(sequence: number, offset: number): string {
  return `cut-${segmentName(sequence)}-at-${offset}`;
}

/** Those of the log among the names of a folder. */
export function logFiles(names: readonly string[]): LogFiles {
  const segments: number[] = [];
  const snapshots: number[] = [];
  // Asked after every sync.
  for (const name of names) {
    if (!numbered.test(name)) continue;
    if (name.startsWith("segment-")) segments.push(Number(name.slice("segment-".length)));
    else snapshots.push(Number(name.slice("snapshot-".length)));
  }
  return { segments: segments.sort(ascending), snapshots: snapshots.sort(ascending) };
}

const numbered = /^(?:segment|snapshot)-\d{8,}$/;
const ascending = (a: number, b: number): number => a - b;
