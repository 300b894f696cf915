/** Which rights an operator in a cluster turns out to lack, for people. */
import type { Clock } from "../../../pkg/runtime/clock.ts";
import { giveRole } from "../give-role.ts";

export interface MissingRightsOptions {
  server: string;
  /** Of the workspace. */
  namespace: string;
  clock: Clock;
  /** Ends it: what was not told yet is not told. */
  signal: AbortSignal;
  note(line: string): void;
}

/** A server that starts refuses everything until it has read its roles: what it goes on refusing is told, in milliseconds. */
const patienceMs = 5_000;
/** What comes together is told in one line, in milliseconds: a role that is taken away is many rights. */
const gatherMs = 2_000;
/** What was not refused for so long is told again when it is, in milliseconds. */
const calmMs = 60_000;

interface Missed {
  firstMs: number;
  lastMs: number;
  isTold: boolean;
}

/** A listener for what a server answers with 403. */
export function missingRights(options: MissingRightsOptions): (text: string) => void {
  const { clock, signal, note } = options;
  const missed = new Map<string, Missed>();
  let gathered: string[] = [];
  const tell = (): void => {
    for (const line of linesOf(gathered, options)) note(line);
    gathered = [];
  };
  return (text) => {
    const now = clock.elapsed();
    for (const [what, { lastMs }] of missed) if (now - lastMs > calmMs) missed.delete(what);
    // Of which object it was said is no news.
    const what = rightIn(text)?.join(" ") ?? (isDeletion(text) ? "" : text.replaceAll(/"[^"]*"/g, ""));
    const before = missed.get(what) ?? { firstMs: now, isTold: false };
    const isDue = now - before.firstMs >= patienceMs && !before.isTold;
    missed.set(what, { ...before, lastMs: now, isTold: before.isTold || isDue });
    if (!isDue) return;
    gathered.push(text);
    if (gathered.length > 1) return;
    clock.sleep(gatherMs, signal).then(tell, () => {
      // Ended.
    });
  };
}

function linesOf(
  texts: readonly string[],
  { server, namespace }: Pick<MissingRightsOptions, "server" | "namespace">,
): string[] {
  const byVerb = new Map<string, string[]>();
  const others = new Set<string>();
  let user: string | undefined;
  for (const text of texts) {
    const right = rightIn(text);
    if (right === undefined) {
      others.add(isDeletion(text) ? deleted(namespace) : `${server} forbids: ${text}`);
      continue;
    }
    const [verb, resource] = right;
    byVerb.set(verb, [...(byVerb.get(verb) ?? []), resource]);
    user = /User "([^"]+)"/.exec(text)?.[1] ?? user;
  }
  if (byVerb.size === 0) return [...others];
  const rights = [...byVerb].map(([verb, resources]) => `${verb} ${resources.sort().join(", ")}`);
  return [
    ...others,
    `${user ?? "The operator"} lacks rights in namespace ${namespace} (${server}): ${rights.sort().join("; ")}. What needs them is tried again until they are given: ${giveRole({ role: "bosun-operator", namespace, ...(user === undefined ? {} : { user }) })}. The role itself comes with \`bosun install\`.`,
  ];
}

function isDeletion(text: string): boolean {
  return text.endsWith("because it is being terminated");
}

/** Roles and the Lease may go before what the operator would still have to let go of. */
function deleted(namespace: string): string {
  return `Namespace ${namespace} is being deleted: nothing new can be made in it. What is left of Agents and Projects when the operator's rights or its Lease went first keeps the namespace until somebody lets go of it: kubectl -n ${namespace} get agents,projects -o name | xargs -r kubectl -n ${namespace} patch --type=merge -p '{"metadata":{"finalizers":null}}'. Branches, sessions and the ledger stay in this folder.`;
}

/** Verb and resource; undefined when it is no right that is missing, but for example a namespace that goes. */
function rightIn(text: string): [verb: string, resource: string] | undefined {
  const [, verb, resource] = /cannot (\w+) resource "([^"]+)"/.exec(text) ?? [];
  return verb === undefined || resource === undefined ? undefined : [verb, resource];
}
