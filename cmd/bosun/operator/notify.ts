/** Tells the person's own `spec.notify.command` of what needs a person. */
import path from "node:path";
import { readIfPresent } from "../../../pkg/storage/blocking-files.ts";
import { replaceFileSync } from "../../../pkg/storage/replace-file.ts";
import { type FollowOptions, followObjects } from "./follow-objects.ts";
import { type Notice, noticesOf, type Outage, outagesOf } from "./notices.ts";
import { type NotifyCommand, runNotifyCommand } from "./notify-command.ts";

export interface NotifyOptions extends FollowOptions, Pick<NotifyCommand, "folder" | "env"> {}

/** The last so many things are remembered as told. */
const rememberedMax = 2_000;
/** What stands for less, in milliseconds, mends itself. */
const outageMs = 120_000;

/**
 * Tells each thing once, also over restarts: what was told is remembered in `.bosun/notified.json`. After a crash in
 * the middle of a command it is told again, since twice is better than never. What only stands for a while is told once it
 * stood for `outageMs`, and again when it comes back. Abort the answer to end it.
 */
export function notifyPerson(options: NotifyOptions): AbortController {
  const { client, clock, logger, folder } = options;
  const ending = new AbortController();
  const memory = path.join(folder.operator, "notified.json");
  let isLooking = false;
  let again = false;
  let waking = new AbortController();

  /** One look at a time; a change meanwhile makes for one more. */
  const look = async (): Promise<void> => {
    again = true;
    if (isLooking) return;
    isLooking = true;
    while (again && !ending.signal.aborted) {
      again = false;
      await tellNews().catch((error: unknown) => {
        // What it reads from ends next.
        if (!ending.signal.aborted) logger.warn("A person could not be notified", { error });
      });
    }
    isLooking = false;
  };
  const following = (["Workspace", "Escalation", "Budget", "Agent"] as const).map((kind) =>
    followObjects(kind, options, () => void look()),
  );
  ending.signal.addEventListener("abort", () => {
    for (const one of following) one.abort();
    waking.abort();
  });
  return ending;

  async function tellNews(): Promise<void> {
    const inWorkspace = { namespace: options.namespace };
    const [workspace] = (await client.list("Workspace", inWorkspace)).items;
    const command = workspace?.spec.notify?.command;
    if (workspace === undefined || command === undefined) return;
    const noticed = {
      workspace,
      escalations: (await client.list("Escalation", inWorkspace)).items,
      budgets: (await client.list("Budget", inWorkspace)).items,
      agents: (await client.list("Agent", inWorkspace)).items,
    };
    const outages = outagesOf(noticed);
    const known = recall(memory);
    const told = known.filter((key) => !isOver(key, outages));
    const remember = (): void =>
      replaceFileSync(memory, `${JSON.stringify(told.slice(-rememberedMax))}\n`, { durable: false });
    if (told.length < known.length) remember();
    const running = {
      ...{ command, workspace: workspace.metadata.name, folder, clock, logger },
      ...{ env: options.env, signal: ending.signal },
    };
    for (const [key, notice] of [...noticesOf(noticed), ...lasting(outages)]) {
      if (told.includes(key)) continue;
      await runNotifyCommand(running, notice);
      if (ending.signal.aborted) return;
      told.push(key);
      remember();
    }
  }

  /** Those that have stood long enough. For the first of the others there is another look. */
  function lasting(outages: ReadonlyMap<string, Outage>): [key: string, notice: Notice][] {
    const ages = [...outages].map(([key, outage]) => ({ key, outage, ms: clock.now() - outage.sinceMs }));
    const isLong = ({ ms }: { ms: number }): boolean => ms >= outageMs;
    const waitMs = ages.filter((one) => !isLong(one)).map(({ ms }) => outageMs - ms);
    waking.abort();
    waking = new AbortController();
    if (waitMs.length > 0)
      clock.sleep(Math.min(...waitMs), waking.signal).then(
        () => void look(),
        () => undefined, // Looked at before, or ended.
      );
    return ages.filter(isLong).map(({ key, outage }) => [key, outage.notice]);
  }
}

function isOver(key: string, outages: ReadonlyMap<string, Outage>): boolean {
  return key.startsWith("outage ") && !outages.has(key);
}

/** What was told; nothing where the file is missing or damaged: then things are told again. */
function recall(file: string): string[] {
  try {
    const known: unknown = JSON.parse(readIfPresent(file) ?? "[]");
    return Array.isArray(known) ? known.filter((key) => typeof key === "string") : [];
  } catch {
    return [];
  }
}
