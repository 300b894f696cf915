/** `bosun describe KIND [NAME...]`: everything about objects, their conditions and what happened to them. */
import { stringify } from "yaml";
import type { Event } from "../../../pkg/api/event.ts";
import { KINDS } from "../../../pkg/api/generated.ts";
import { ageOf } from "../../../pkg/api/human-duration.ts";
import type { Condition, KubeObject } from "../../../pkg/api/meta.ts";
import type { Context } from "../context.ts";
import { kindOf } from "../kinds.ts";
import { need } from "../objects.ts";
import { withObjects } from "../operator-client/connect.ts";
import { layout } from "../tables/layout.ts";

/** @param names - of whom; none is all of the kind */
export async function describe(context: Context, word: string, names: readonly string[]): Promise<void> {
  const kind = kindOf(word);
  await withObjects(context, async ({ client }) => {
    const objects: readonly KubeObject[] =
      names.length === 0
        ? (await client.list(kind, { namespace: client.namespace })).items
        : await Promise.all(names.map((name) => need(client, kind, name)));
    if (objects.length === 0) return context.note(`No ${KINDS[kind].plural} found.`);
    const { items: events } = await client.list("Event", { namespace: client.namespace });
    for (const [index, object] of objects.entries()) {
      if (index > 0) for (const blank of ["", ""]) context.out(blank);
      for (const line of description(object, eventsOf(object, events), context.now())) context.out(line);
    }
  });
}

function eventsOf({ kind, metadata }: KubeObject, events: readonly Event[]): readonly Event[] {
  return events.filter(
    ({ involvedObject }) => involvedObject.kind === kind && involvedObject.name === metadata.name,
  );
}

/** The lines of a description. */
export function description(object: KubeObject, events: readonly Event[], now: number): string[] {
  const { metadata } = object;
  const { conditions, ...status } = (object.status ?? {}) as { conditions?: readonly Condition[] };
  return [
    ...layout([
      ["Name:", metadata.name],
      ["Kind:", `${object.kind} (${object.apiVersion})`],
      ["Labels:", pairs(metadata.labels)],
      ["Annotations:", pairs(metadata.annotations)],
      ["Age:", ageOf(metadata.creationTimestamp, now)],
      ...(metadata.deletionTimestamp === undefined
        ? []
        : [["Being deleted:", `since ${ageOf(metadata.deletionTimestamp, now)}`]]),
    ]),
    ...section("Spec", object.spec),
    ...section("Status", status),
    ...table(
      "Conditions",
      ["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"],
      (conditions ?? []).map((entry) => conditionRow(entry, now)),
    ),
    ...table(
      "Events",
      ["LAST SEEN", "TYPE", "REASON", "COUNT", "MESSAGE"],
      [...events].sort(byTime).map((event) => eventRow(event, now)),
    ),
  ];
}

function pairs(map: Record<string, string> | undefined): string {
  const entries = Object.entries(map ?? {}).map(([key, value]) => `${key}=${value}`);
  return entries.length === 0 ? "<none>" : entries.join(", ");
}

function section(title: string, value: unknown): string[] {
  if (value === undefined || Object.keys(value as object).length === 0) return [];
  const lines = stringify(value, { lineWidth: 0 }).trimEnd().split("\n");
  return ["", `${title}:`, ...lines.map((line) => `  ${line}`)];
}

function table(title: string, header: string[], rows: string[][]): string[] {
  if (rows.length === 0) return ["", `${title}: none`];
  return ["", `${title}:`, ...layout([header, ...rows]).map((line) => `  ${line}`)];
}

function conditionRow(
  { type, status, reason, lastTransitionTime, message }: Condition,
  now: number,
): string[] {
  return [type, status, reason, ageOf(lastTransitionTime, now), message];
}

function eventRow({ lastTimestamp, type, reason, count = 1, message }: Event, now: number): string[] {
  return [ageOf(lastTimestamp, now), type, reason, String(count), message];
}

function byTime(a: Event, b: Event): number {
  return (a.lastTimestamp ?? "") < (b.lastTimestamp ?? "") ? -1 : 1;
}
