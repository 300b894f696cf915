/** TypeScript types from CustomResourceDefinitions. */
import { type Crd, type PrinterColumn, type Schema, storageVersion } from "./crds.ts";
import { constantName, pascalCase, singular } from "./names.ts";

/**
 * The source text of `pkg/api/generated.ts`: for each kind an interface with one for its spec, its status and each
 * nested object; for each enum a constant list and its union; `Kinds` and the table `KINDS`.
 *
 * A field with a default is always there, and so is a required one; every other is optional.
 */
export function typesOf(crds: readonly Crd[]): string {
  const out = new Declarations();
  const sorted = [...crds].sort((a, b) => (a.spec.names.kind < b.spec.names.kind ? -1 : 1));
  for (const crd of sorted) declareKind(crd, out);
  return [
    "// Generated from crds/*.yaml by `npm run generate`. Do not edit: change the definition and run it again.",
    'import type { Event } from "./event.ts";',
    'import type { Condition, ObjectMeta } from "./meta.ts";',
    "",
    ...out.lines(),
    ...kinds(sorted),
  ].join("\n");
}

function declareKind(crd: Crd, out: Declarations): void {
  const { kind } = crd.spec.names;
  const version = storageVersion(crd);
  const root = version.schema.openAPIV3Schema;
  const lines = [
    `  apiVersion: "${crd.spec.group}/${version.name}";`,
    `  kind: "${kind}";`,
    "  metadata: ObjectMeta;",
  ];
  for (const part of ["spec", "status"] as const) {
    const schema = root.properties?.[part];
    if (schema === undefined) continue;
    const name = `${kind}${pascalCase(part)}`;
    declareObject(name, schema, { kind, part, parent: kind }, out);
    lines.push(...docstring(schema, "  "));
    const optional = part === "status" || !isPresent(root, part, schema);
    lines.push(`  ${part}${optional ? "?" : ""}: ${name};`);
  }
  out.declare(kind, "type", [
    ...docstring({ description: root.description }, ""),
    `export interface ${kind} {`,
    ...lines,
    "}",
  ]);
}

/** Where a schema stands: decides how what it declares is named. */
interface Place {
  kind: string;
  part: "spec" | "status";
  /** What names start with: the kind at the top of spec and status, the enclosing interface below. */
  parent: string;
}

function declareObject(name: string, schema: Schema, place: Place, out: Declarations): void {
  const lines: string[] = [];
  for (const [field, child] of Object.entries(schema.properties ?? {})) {
    const type = typeOf(field, child, place, out);
    const optional = isPresent(schema, field, child) ? "" : "?";
    lines.push(...docstring(child, "  "), `  ${quoteKey(field)}${optional}: ${type};`);
  }
  out.declare(name, "type", [
    ...docstring({ description: schema.description }, ""),
    `export interface ${name} {`,
    ...lines,
    "}",
  ]);
}

function typeOf(field: string, schema: Schema, place: Place, out: Declarations): string {
  const type = bareType(field, schema, place, out);
  return schema.nullable === true ? `${type} | null` : type;
}

function bareType(field: string, schema: Schema, place: Place, out: Declarations): string {
  if (schema["x-kubernetes-int-or-string"] === true) return "number | string";
  switch (schema.type) {
    case "string":
      return schema.enum === undefined ? "string" : enumType(field, schema.enum, place, out);
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "array": {
      if (schema.items === undefined) throw new Error(`The list ${place.parent}.${field} has no "items".`);
      const item = typeOf(singular(field), schema.items, place, out);
      return item.includes("|") ? `(${item})[]` : `${item}[]`;
    }
    case "object":
      return objectType(field, schema, place, out);
    default:
      return "unknown";
  }
}

function objectType(field: string, schema: Schema, place: Place, out: Declarations): string {
  if (isCondition(schema)) return "Condition";
  if (schema.properties !== undefined) {
    const name = out.freeName(`${place.parent}${pascalCase(field)}`, place, schema);
    if (!out.has(name)) declareObject(name, schema, { ...place, parent: name }, out);
    return name;
  }
  if (typeof schema.additionalProperties === "object") {
    return `Record<string, ${typeOf(singular(field), schema.additionalProperties, place, out)}>`;
  }
  return "Record<string, unknown>";
}

function enumType(field: string, values: readonly string[], place: Place, out: Declarations): string {
  const name = out.freeName(`${place.parent}${pascalCase(field)}`, place, values);
  if (!out.has(name)) {
    const constant = constantName(name);
    const list = values.map((value) => JSON.stringify(value));
    const oneLine = `export const ${constant} = [${list.join(", ")}] as const;`;
    out.declare(name, "enum", [
      ...(oneLine.length <= 110
        ? [oneLine]
        : [`export const ${constant} = [`, ...list.map((value) => `  ${value},`), "] as const;"]),
      `export type ${name} = (typeof ${constant})[number];`,
    ]);
  }
  return name;
}

function isCondition(schema: Schema): boolean {
  const fields = ["type", "status", "reason", "message", "lastTransitionTime"];
  return fields.every((field) => schema.properties?.[field] !== undefined);
}

function isPresent(parent: Schema, field: string, schema: Schema): boolean {
  return schema.default !== undefined || (parent.required ?? []).includes(field);
}

function quoteKey(field: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(field) ? field : JSON.stringify(field);
}

/** The description with default and bounds, as a docstring at `indent`; nothing for a schema that says nothing. */
function docstring(schema: Schema, indent: string): string[] {
  const facts = [schema.description?.trim(), defaultOf(schema), boundsOf(schema)];
  const text = facts.filter((fact) => fact !== undefined && fact !== "").join(" ");
  if (text === "") return [];
  const lines = wrap(text.replaceAll("*/", "*\\/"), 112 - indent.length);
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`];
}

function defaultOf(schema: Schema): string | undefined {
  return schema.default === undefined ? undefined : `Default: ${JSON.stringify(schema.default)}.`;
}

function boundsOf(schema: Schema): string | undefined {
  if (schema.minimum !== undefined && schema.maximum !== undefined) {
    return `From ${schema.minimum} to ${schema.maximum}.`;
  }
  if (schema.maxLength !== undefined) return `At most ${schema.maxLength} characters.`;
  if (schema.maxItems !== undefined) return `At most ${schema.maxItems} items.`;
  if (schema.maxProperties !== undefined) return `At most ${schema.maxProperties} entries.`;
  return undefined;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function kinds(crds: readonly Crd[]): string[] {
  const rows = crds.map((crd) => {
    const { names, group, scope } = crd.spec;
    const version = storageVersion(crd);
    return row(names.kind, {
      apiVersion: `${group}/${version.name}`,
      group,
      version: version.name,
      plural: names.plural,
      singular: names.singular ?? names.kind.toLowerCase(),
      shortNames: names.shortNames ?? [],
      namespaced: scope === "Namespaced",
      columns: (version.additionalPrinterColumns ?? []).map(withoutDescription),
    });
  });
  const event = { apiVersion: "v1", group: "", version: "v1", plural: "events", singular: "event" };
  return [
    "/** Every kind by name. */",
    "export interface Kinds {",
    ...crds.map((crd) => `  ${crd.spec.names.kind}: ${crd.spec.names.kind};`),
    "  Event: Event;",
    "}",
    "",
    "/** How a kind is named in URLs and by people. */",
    "export interface KindInfo {",
    "  readonly apiVersion: string;",
    "  /** Empty for the core group. */",
    "  readonly group: string;",
    "  readonly version: string;",
    "  readonly plural: string;",
    "  readonly singular: string;",
    "  readonly shortNames: readonly string[];",
    "  readonly namespaced: boolean;",
    "  /** Of its table, NAME not among them. */",
    "  readonly columns: readonly PrinterColumn[];",
    "}",
    "",
    "/** A column of a kind's table. */",
    "export interface PrinterColumn {",
    "  readonly name: string;",
    "  readonly type: string;",
    "  readonly jsonPath: string;",
    "  /** Above 0: with `-o wide` only. */",
    "  readonly priority?: number;",
    "}",
    "",
    "export const KINDS: { readonly [K in keyof Kinds]: KindInfo } = {",
    ...rows.flat(),
    ...row("Event", { ...event, shortNames: ["ev"], namespaced: true, columns: eventColumns }),
    "};",
    "",
  ];
}

/** An Event is no custom resource; these are kubectl's columns of it. */
const eventColumns: readonly PrinterColumn[] = [
  { name: "Last Seen", type: "date", jsonPath: ".lastTimestamp" },
  { name: "Type", type: "string", jsonPath: ".type" },
  { name: "Reason", type: "string", jsonPath: ".reason" },
  { name: "Kind", type: "string", jsonPath: ".involvedObject.kind" },
  { name: "Object", type: "string", jsonPath: ".involvedObject.name" },
  { name: "Message", type: "string", jsonPath: ".message" },
];

function withoutDescription({ description: _description, ...column }: PrinterColumn): PrinterColumn {
  return column;
}

function row(kind: string, info: Record<string, unknown>): string[] {
  const fields = Object.entries(info).flatMap(([name, value]) =>
    Array.isArray(value) && typeof value[0] === "object"
      ? [`    ${name}: [`, ...value.map((entry) => `      ${JSON.stringify(entry)},`), "    ],"]
      : [`    ${name}: ${JSON.stringify(value)},`],
  );
  return [`  ${kind}: {`, ...fields, "  },"];
}

/** Declarations in order of first use, each name with one meaning. */
class Declarations {
  readonly #text = new Map<string, string[]>();
  /** Name → what it stands for, as JSON without descriptions. */
  readonly #meaning = new Map<string, string>();

  has(name: string): boolean {
    return this.#text.has(name);
  }

  declare(name: string, what: "type" | "enum", lines: string[]): void {
    if (this.has(name))
      throw new Error(`Two declarations are called ${name} (the second is of sort "${what}").`);
    this.#text.set(name, lines);
  }

  /** `wanted`, or where that already means something else, the name that says spec or status too. */
  freeName(wanted: string, place: Place, meaning: Schema | readonly string[]): string {
    const json = JSON.stringify(meaning, (key, value) => (key === "description" ? undefined : value));
    const longer = wanted.replace(place.kind, `${place.kind}${pascalCase(place.part)}`);
    for (const name of [wanted, longer]) {
      const known = this.#meaning.get(name);
      if (known === json) return name;
      if (known === undefined && !this.has(name)) {
        this.#meaning.set(name, json);
        return name;
      }
    }
    throw new Error(`${wanted} and ${longer} are both taken: rename the field in crds/.`);
  }

  lines(): string[] {
    return [...this.#text.values()].flatMap((lines) => [...lines, ""]);
  }
}
