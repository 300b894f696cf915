import type { Figures } from "./run.ts";

interface Row {
  readonly name: string;
  readonly unit: "/s" | "ms" | "MB";
  /** What kube-apiserver 1.36 with etcd 3.5 did on 2 cores with the same client, where it was measured. */
  readonly reference?: number;
}

const rows: readonly Row[] = [
  { name: "create c=1 /s", unit: "/s", reference: 170 },
  { name: "create c=1 p50", unit: "ms", reference: 5.5 },
  { name: "create c=1 p99", unit: "ms", reference: 14 },
  { name: "create c=16 /s", unit: "/s", reference: 485 },
  { name: "create c=16 p50", unit: "ms", reference: 30 },
  { name: "create c=16 p99", unit: "ms", reference: 85 },
  { name: "create c=64 /s", unit: "/s", reference: 698 },
  { name: "create c=64 p50", unit: "ms", reference: 80 },
  { name: "create c=64 p99", unit: "ms", reference: 199 },
  { name: "status patch p50", unit: "ms", reference: 4.1 },
  { name: "status patch p99", unit: "ms", reference: 17 },
  { name: "apply p50", unit: "ms", reference: 4.6 },
  { name: "apply p99", unit: "ms", reference: 24 },
  { name: "get p50", unit: "ms", reference: 1.8 },
  { name: "get p99", unit: "ms", reference: 4.4 },
  // Measured with 4,400 objects; here there are 5,000.
  { name: "list all p50", unit: "ms", reference: 269 },
  { name: "list limit=500 p50", unit: "ms", reference: 41 },
  { name: "watch 1 p50", unit: "ms", reference: 5.4 },
  { name: "watch 1 p99", unit: "ms", reference: 13 },
  { name: "watch 100 p50", unit: "ms" },
  { name: "watch 100 p99", unit: "ms" },
  { name: "start empty", unit: "ms", reference: 3000 },
  { name: "start 10000", unit: "ms" },
  { name: "memory idle", unit: "MB", reference: 320 },
  { name: "memory 5000", unit: "MB", reference: 547 },
];

/** Our figures beside another server's of the same run, or else beside the reference, with how often better ours are. */
export function table(own: Figures, other: Figures | undefined): string[] {
  const against = other === undefined ? "reference" : "other";
  const lines = rows.map(({ name, unit, reference }) => {
    const [ours, theirs] = [own[name], other === undefined ? reference : other[name]];
    const better =
      ours === undefined || theirs === undefined ? undefined : unit === "/s" ? ours / theirs : theirs / ours;
    return [name, shown(ours), shown(theirs), better === undefined ? "" : `${better.toFixed(1)}x`];
  });
  const all = [["", "bosun", against, "better"], ...lines];
  return all.map(
    ([name = "", ...cells]) => name.padEnd(22) + cells.map((cell) => cell.padStart(11)).join(""),
  );
}

function shown(value: number | undefined): string {
  if (value === undefined) return "-";
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
