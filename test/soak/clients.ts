/** Clients that write and read at random, and watchers, on a server that dies now and then. What they did is a History. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Api } from "../support/api.ts";
import type { History, Read, Sight, Version, Write } from "./history.ts";

/** One kind of object as the clients write it. */
export interface Subject {
  /** `/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL` */
  readonly path: string;
  object(name: string, token: string): object;
  /** False: the objects stay, and only what they say changes. */
  readonly comeAndGo: boolean;
  /** The merge patch that makes an object say `token`. */
  patch(token: string): { spec: object };
  tokenOf(object: StoredObject): string;
}

export interface StoredObject {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly spec?: Readonly<Record<string, unknown>>;
}

export interface Clients {
  readonly history: History & { readonly writes: Write[] };
  /** Writes end; watchers follow until they have seen what was written last. */
  end(): Promise<void>;
}

export interface ClientsOptions {
  readonly api: () => Api;
  readonly subject: Subject;
  readonly names: readonly string[];
  readonly writers: number;
  readonly watchers: number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** How long a client waits for a server that is gone, in milliseconds. */
const awayMs = 5;

export function startClients({ api, subject, names, writers, watchers, random }: ClientsOptions): Clients {
  const writes: Write[] = [];
  const reads: Read[] = [];
  const sights: Sight[][] = Array.from({ length: watchers }, () => []);
  let tokens = 0;
  let writing = true;
  let watching = true;
  const workers = Array.from({ length: writers }, write);
  const followers = sights.map(follow);

  return {
    history: { writes, reads, watchers: sights },
    async end() {
      writing = false;
      await Promise.all(workers);
      const newest = Number((await list()).metadata.resourceVersion);
      const last = await touch(newest);
      while (sights.some((seen) => (seen.at(-1)?.revision ?? 0) < last)) await sleep(awayMs);
      watching = false;
      await Promise.all(followers);
    },
  };

  async function write(): Promise<void> {
    while (writing) {
      const key = names[Math.floor(random() * names.length)] ?? "";
      const choice = random();
      if (choice < 0.2) await read(key);
      else if (choice < 0.5) await send(key, "patch");
      else if (choice < 0.65 || !subject.comeAndGo) await replace(key);
      else if (choice < 0.9) await send(key, "create");
      else await send(key, "delete");
    }
  }

  async function send(
    key: string,
    kind: Write["kind"],
    found?: StoredObject,
    basedOn?: number,
  ): Promise<void> {
    const token = kind === "delete" ? "" : `token-${++tokens}`;
    const path = kind === "create" ? subject.path : `${subject.path}/${key}`;
    const replacement = { ...found, spec: { ...found?.spec, ...subject.patch(token).spec } };
    const [method, content, type] = {
      create: ["POST", subject.object(key, token), undefined] as const,
      patch: ["PATCH", subject.patch(token), "application/merge-patch+json"] as const,
      replace: ["PUT", replacement, undefined] as const,
      delete: ["DELETE", undefined, undefined] as const,
    }[kind];
    const calledMs = performance.now();
    const answer = await api()
      .send(method, path, content, type)
      .catch((error: NodeJS.ErrnoException) => error);
    const returnedMs = performance.now();
    const span = { key, kind, token, calledMs, returnedMs, ...(basedOn === undefined ? {} : { basedOn }) };
    if (answer instanceof Error) {
      // Where nobody listened nothing was sent.
      if (answer.code !== "ECONNREFUSED") writes.push({ ...span, outcome: { is: "unknown" } });
      await sleep(awayMs);
    } else if (answer.status >= 500) {
      throw new Error(`The server answered ${answer.status} to ${method} ${path}: ${answer.text}`);
    } else if (answer.status >= 300) {
      writes.push({ ...span, outcome: { is: "refused", code: answer.status } });
    } else if (kind === "delete") {
      writes.push({ ...span, outcome: { is: "acknowledged" } });
    } else {
      const { metadata } = JSON.parse(answer.text) as StoredObject;
      writes.push({ ...span, outcome: { is: "acknowledged", revision: Number(metadata.resourceVersion) } });
    }
  }

  async function replace(key: string): Promise<void> {
    const found = await read(key);
    if (found === undefined) return;
    const { resourceVersion } = found.metadata;
    await send(key, "replace", found, Number(resourceVersion));
  }

  async function read(key: string): Promise<StoredObject | undefined> {
    const calledMs = performance.now();
    const answer = await api()
      .send("GET", `${subject.path}/${key}`)
      .catch(() => undefined);
    if (answer === undefined) {
      await sleep(awayMs);
      return undefined;
    }
    const object = answer.status === 200 ? (JSON.parse(answer.text) as StoredObject) : undefined;
    if (answer.status !== 200 && answer.status !== 404)
      throw new Error(`A read was answered ${answer.status}: ${answer.text}`);
    reads.push({
      key,
      calledMs,
      returnedMs: performance.now(),
      found: object === undefined ? undefined : versionOf(object),
    });
    return object;
  }

  /** Writes once more, when nobody else does, and gives the revision: whoever has seen that has seen everything. */
  async function touch(newest: number): Promise<number> {
    for (;;) {
      const [key = ""] = names;
      const before = writes.length;
      await send(key, "create");
      await send(key, "patch");
      const told = writes
        .slice(before)
        .map(({ outcome }) => ("revision" in outcome ? (outcome.revision ?? 0) : 0));
      if (Math.max(...told) > newest) return Math.max(...told);
    }
  }

  /** Lists, watches, and resumes where it was for as long as the server has the history; else it lists again. */
  async function follow(seen: Sight[]): Promise<void> {
    let last: number | undefined;
    while (watching) {
      try {
        if (last === undefined) {
          const { metadata, items } = await list();
          last = Number(metadata.resourceVersion);
          const objects = new Map(items.map((item) => [item.metadata.name, versionOf(item)]));
          seen.push({ is: "list", revision: last, objects });
        }
        last = await followFrom(last, seen);
      } catch {
        // The server is gone; it comes back.
        await sleep(awayMs);
      }
    }
  }

  /** @returns the last revision seen, or undefined when the history after it is gone */
  async function followFrom(from: number, seen: Sight[]): Promise<number | undefined> {
    let last: number | undefined = from;
    const stream = await api().watch(`${subject.path}?watch=true&resourceVersion=${from}`, (line) => {
      const { type, object } = JSON.parse(line) as { type: string; object: StoredObject & { code?: number } };
      if (type === "ERROR") {
        if (object.code !== 410) throw new Error(`A watch ended with ${line}`);
        last = undefined;
        return;
      }
      last = Number(object.metadata.resourceVersion);
      if (type === "BOOKMARK") return;
      seen.push({
        is: "event",
        type,
        key: object.metadata.name,
        revision: last,
        token: subject.tokenOf(object),
      });
    });
    const polling = setInterval(() => {
      if (!watching) stream.close();
    }, awayMs);
    await stream.ended;
    clearInterval(polling);
    return last;
  }

  async function list(): Promise<{ metadata: { resourceVersion: string }; items: readonly StoredObject[] }> {
    const answer = await api().send("GET", subject.path);
    if (answer.status !== 200) throw new Error(`A list was answered ${answer.status}: ${answer.text}`);
    return JSON.parse(answer.text);
  }

  function versionOf(object: StoredObject): Version {
    return { revision: Number(object.metadata.resourceVersion), token: subject.tokenOf(object) };
  }
}
