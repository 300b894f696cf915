/** Edits of people's YAML files made worse: what a crashed editor, a bad merge or a tired person leaves. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parseAllDocuments } from "yaml";
import { initialFiles } from "../../cmd/bosun/init/files.ts";
import { openRegistry } from "../../cmd/bosun/testing/operator.ts";
import type { KubeObject } from "../../pkg/api/meta.ts";
import type { Registry } from "../../pkg/registry/registry.ts";
import type { Clock } from "../../pkg/runtime/clock.ts";
import { openPeopleFiles, type PeopleFiles } from "../../pkg/storage/files/people-files.ts";
import { nodeFileSystem } from "../../pkg/storage/node-file-system.ts";
import { type Prng, prng } from "../simulation/kernel/prng.ts";
import type { Findings } from "./findings.ts";
import { pick } from "./mutate.ts";
import { mutateBytes } from "./mutate-body.ts";

export interface FilesCampaign {
  edits: number;
  seed: number;
  findings: Findings;
}

/** An edit that needs more of the processor to be taken in or refused is a hang, in milliseconds: a busy machine needs no more. */
const hangMs = 1_000;
/** After so many edits all files are made good again, and everything must be as they say. */
const roundEdits = 40;

/**
 * Edits a folder of files while the registry follows it. Nothing may throw or hang; no file may change but by the edit;
 * and once the files are good again, every object is what its file says, whatever stood there meanwhile.
 */
export async function fuzzPeopleFiles({ edits, seed, findings }: FilesCampaign): Promise<void> {
  const random = prng(seed, "people's files");
  const folder = path.join(await mkdtemp(path.join(tmpdir(), "bosun-fuzz-")), ".claude-sessions");
  const good = goodFiles();
  const registry = await openRegistry();
  for (const [file, text] of good) await write(file, text);
  const files = await openFiles(folder, registry);
  try {
    for (let done = 0; done < edits; ) {
      for (let count = 0; count < roundEdits && done < edits; count += 1, done += 1) await editOne();
      await makeGood();
    }
  } finally {
    await files.close();
    await rm(path.dirname(folder), { recursive: true });
  }

  async function editOne(): Promise<void> {
    const [file, text] = pick([...good], random);
    const edited = worse(text, [...good.values()], random);
    await write(file, edited);
    const before = process.cpuUsage();
    try {
      await files.rescan();
    } catch (error) {
      findings.add("files", `${error}`, JSON.stringify(edited.slice(0, 2_000)));
      throw error;
    }
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1000;
    if (tookMs > hangMs)
      findings.add("files", `An edit took ${tookMs.toFixed(0)} ms.`, JSON.stringify(edited.slice(0, 2_000)));
    const after = await readFile(path.join(folder, file), "utf8");
    if (after !== edited)
      findings.add(
        "files",
        "A file was changed that only a person had changed.",
        JSON.stringify([edited, after]),
      );
  }

  async function makeGood(): Promise<void> {
    for (const [file, text] of good) await write(file, text);
    await files.rescan();
    // What was held back as a deletion by mistake counts as said again.
    await files.acceptDeletions();
    await files.rescan();
    for (const said of [...good.values()].flatMap(documentsOf)) {
      const of = registry.resourceByKind("bosun.dev", said.kind);
      const key = { namespace: "default", name: said.metadata.name };
      const known = of === undefined ? undefined : registry.newest(of.id, key);
      const meant = registry.meaning({ ...said, metadata: { ...said.metadata, namespace: "default" } });
      if (!isDeepStrictEqual(known?.spec, meant.spec))
        findings.add(
          "files",
          `${said.kind} is not what its file says once that is good again.`,
          `${said.metadata.name}: ${JSON.stringify(known?.spec)} instead of ${JSON.stringify(meant.spec)}`,
        );
    }
  }

  async function write(file: string, text: string): Promise<void> {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
}

function goodFiles(): Map<string, string> {
  const choices = { name: "fuzz", targetBranch: "main", commands: { test: "npm test" }, dailyUSD: 5 };
  return new Map(initialFiles(choices).map((file) => [file.path, file.text]));
}

function documentsOf(text: string): KubeObject[] {
  const documents = [...parseAllDocuments(text)];
  return documents.map((document) => document.toJS() as KubeObject).filter((value) => value !== null);
}

async function openFiles(folder: string, registry: Registry): Promise<PeopleFiles> {
  let elapsed = 0;
  const clock: Clock = {
    now: () => Date.UTC(2026, 0, 1) + elapsed,
    elapsed: () => elapsed,
    async sleep(ms) {
      elapsed += ms;
    },
  };
  return await openPeopleFiles({
    folder,
    admission: registry,
    initialFiles: [],
    initialObjects: [],
    fs: nodeFileSystem,
    clock,
    report: () => {},
    head: async () => "ref: refs/heads/main",
  });
}

function worse(text: string, others: readonly string[], random: Prng): string {
  let changed = text;
  do {
    changed = random.chance(0.5)
      ? mutateBytes(Buffer.from(changed), random).toString(random.chance(0.9) ? "utf8" : "latin1")
      : mutateLines(changed, pick(others, random), random);
  } while (random.chance(0.4));
  return changed;
}

const lines = [
  "spec: &s { self: *s }",
  "<<<<<<< HEAD",
  "=======",
  "  name: other",
  "kind: Budget",
  "  replicas: 3",
  "  replicas: yes",
  "  title: [",
  "status: { phase: Done }",
  "  ? [a]",
  "\t",
  "---",
  "...",
  "%YAML 1.1",
  "  labels: { a: b }",
  "  finalizers: [a/b]",
  "  mode: Stopped",
  "# nothing",
];

function mutateLines(text: string, other: string, random: Prng): string {
  const all = text.split("\n");
  const at = random.below(all.length);
  const count = 1 + random.below(4);
  switch (random.below(6)) {
    case 0:
      return all.toSpliced(at, count).join("\n");
    case 1:
      return all.toSpliced(at, 0, pick(lines, random)).join("\n");
    case 2:
      return all.toSpliced(at, 0, ...all.slice(at, at + count)).join("\n");
    case 3:
      return [...all.slice(0, at), ...other.split("\n").slice(random.below(20))].join("\n");
    case 4:
      return all.toSpliced(at, 1, `${" ".repeat(random.below(5))}${all[at]?.trim()}`).join("\n");
    default:
      return all
        .toSpliced(at, 1, `${all[at]?.split(":")[0]}: ${pick(["", "no", "~", "1e9", "{}", "'"], random)}`)
        .join("\n");
  }
}
