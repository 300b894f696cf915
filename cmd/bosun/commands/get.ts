/** `bosun get KIND [NAME...]`: a table, YAML or JSON, once or as it changes. */
import type { Event } from "../../../pkg/api/event.ts";
import { KINDS } from "../../../pkg/api/generated.ts";
import type { KubeObject } from "../../../pkg/api/meta.ts";
import { isExpired } from "../../../pkg/api/status-error.ts";
import type { Kind } from "../../../pkg/runtime/client.ts";
import type { Context } from "../context.ts";
import { kindOf } from "../kinds.ts";
import { need } from "../objects.ts";
import { withObjects, withOperator } from "../operator-client/connect.ts";
import type { OperatorClient, Reader } from "../operator-client/socket-client.ts";
import { type Column, columnsOf, headerOf, rowOf } from "../tables/columns.ts";
import { layout, widthsOf } from "../tables/layout.ts";
import { UserError } from "../user-error.ts";

export interface GetOptions {
  output?: "yaml" | "json" | "wide" | "name";
  watch?: boolean;
  selector?: string;
}

export async function get(
  context: Context,
  word: string,
  names: readonly string[],
  options: GetOptions,
): Promise<void> {
  if (word.toLowerCase() === "all" || word.toLowerCase() === "bosun") return await getAll(context, options);
  const kind = kindOf(word);
  if (options.watch === true)
    return await withOperator(context, ({ client }) => watch(context, client, kind, names, options));
  await withObjects(context, async ({ client }) => {
    const objects = await find(client, kind, names, options);
    if (objects.length === 0) return context.note(`No ${KINDS[kind].plural} found.`);
    for (const line of await render(kind, objects, {
      ...options,
      single: names.length === 1,
      now: context.now(),
    }))
      context.out(line);
  });
}

async function getAll(context: Context, options: GetOptions): Promise<void> {
  if (options.watch === true)
    throw new UserError("`bosun get all` can't watch. Name a kind.", { exitCode: 2 });
  await withObjects(context, async ({ client }) => {
    let isFirst = true;
    for (const kind of (Object.keys(KINDS) as Kind[]).filter((candidate) => candidate !== "Event")) {
      const objects = await find(client, kind, [], options);
      if (objects.length === 0) continue;
      if (!isFirst && (options.output === undefined || options.output === "wide")) context.out("");
      isFirst = false;
      const lines = await render(kind, objects, {
        ...options,
        single: false,
        now: context.now(),
        qualified: true,
      });
      for (const line of lines) context.out(line);
    }
    if (isFirst) context.note("Nothing found.");
  });
}

async function find(
  client: Reader,
  kind: Kind,
  names: readonly string[],
  { selector }: GetOptions,
): Promise<readonly KubeObject[]> {
  if (names.length > 0) return await Promise.all(names.map((name) => need(client, kind, name)));
  const list = await client.list(kind, {
    namespace: client.namespace,
    ...(selector === undefined ? {} : { labelSelector: selector }),
  });
  // What happened is read in the order in which it happened.
  return kind === "Event" ? (list.items as readonly Event[]).toSorted(byTime) : list.items;
}

function byTime(a: Event, b: Event): number {
  return (a.lastTimestamp ?? "") < (b.lastTimestamp ?? "") ? -1 : 1;
}

interface RenderOptions extends GetOptions {
  /** One object was asked for by name: no list around it. */
  single: boolean;
  now: number;
  /** Names as `project/a`, for listings of several kinds. */
  qualified?: boolean;
}

/** `objects` as lines in the form that `options.output` asks for. */
export async function render(
  kind: Kind,
  objects: readonly KubeObject[],
  options: RenderOptions,
): Promise<string[]> {
  const shown = objects.map(withoutOwners);
  const [first] = shown;
  const whole =
    options.single && first !== undefined ? first : { apiVersion: "v1", kind: "List", items: shown };
  switch (options.output) {
    case "json":
      return [JSON.stringify(whole, null, 2)];
    case "yaml": {
      const { stringify } = await import("yaml");
      return [stringify(whole, { lineWidth: 0 }).trimEnd()];
    }
    case "name":
      return objects.map(({ metadata }) => `${KINDS[kind].singular}/${metadata.name}`);
    default: {
      const columns = columnsOf(kind, { wide: options.output === "wide" });
      const rows = objects.map((object) => rowOf(kind, object, columns, options.now));
      return layout([
        headerOf(kind, columns),
        ...rows.map((row) => (options.qualified ? qualify(kind, row) : row)),
      ]);
    }
  }
}

/** Without who owns which field: long, and of interest to few. kubectl leaves it out too. */
function withoutOwners(object: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

function qualify(kind: Kind, [name = "", ...cells]: readonly string[]): string[] {
  return [`${KINDS[kind].singular}/${name}`, ...cells];
}

/** Prints a row for each object, then one for each change, until Ctrl-C. */
async function watch(
  context: Context,
  client: OperatorClient,
  kind: Kind,
  names: readonly string[],
  options: GetOptions,
): Promise<void> {
  const columns = columnsOf(kind, { wide: options.output === "wide" });
  const print = printer(context, kind, columns, options);
  const matches = (object: KubeObject) => names.length === 0 || names.includes(object.metadata.name);
  const selector = options.selector === undefined ? {} : { labelSelector: options.selector };
  for (;;) {
    const list = await client.list(kind, { namespace: client.namespace, ...selector });
    await print(list.items.filter(matches));
    try {
      const { resourceVersion } = list.metadata;
      const events = client.watch(kind, {
        namespace: client.namespace,
        resourceVersion,
        signal: context.signal,
        ...selector,
      });
      for await (const event of events)
        if (event.type !== "BOOKMARK" && matches(event.object)) await print([event.object]);
    } catch (error) {
      // The history since the list is gone: list again, as every client of Kubernetes does.
      if (!isExpired(error)) throw error;
      continue;
    }
    if (!context.signal.aborted) context.note("The operator has ended.");
    return;
  }
}

function printer(context: Context, kind: Kind, columns: readonly Column[], options: GetOptions) {
  const header = headerOf(kind, columns);
  let widths: number[] | undefined;
  return async (objects: readonly KubeObject[]): Promise<void> => {
    if (options.output !== undefined && options.output !== "wide") {
      for (const object of objects) {
        const [line = ""] = await render(kind, [object], { ...options, single: true, now: context.now() });
        context.out(options.output === "yaml" ? `---\n${line}` : line);
      }
      return;
    }
    const rows = objects.map((object) => rowOf(kind, object, columns, context.now()));
    const printed = widths === undefined ? [header, ...rows] : rows;
    widths = widthsOf(printed, widths);
    for (const line of layout(printed, widths)) context.out(line);
  };
}
