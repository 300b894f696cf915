/** Uses of time, chance and the process that `controllers/` and `pkg/runtime` must be handed instead. */

/** A node of the ESTree that the parser gives. */
export interface Node {
  type: string;
  start: number;
  [key: string]: unknown;
}

export interface Use {
  /** Offset in the source. */
  at: number;
  /** As written: `Date.now`. */
  what: string;
  /** What to do instead. */
  advice: string;
}

const takeClock = "Take a Clock (pkg/runtime/clock.ts) as a parameter.";
const takeWorld = "Take an interface as a parameter; cmd/bosun hands in the real one.";

const globals: Record<string, string> = {
  setTimeout: takeClock,
  setInterval: takeClock,
  setImmediate: takeClock,
  performance: takeClock,
  crypto: "Take Ids or Random (pkg/runtime/clock.ts) as a parameter.",
  process: takeWorld,
  fetch: takeWorld,
};

const members: Record<string, string> = {
  "Date.now": takeClock,
  "Math.random": "Take a Random (pkg/runtime/clock.ts) as a parameter.",
  "AbortSignal.timeout": takeClock,
};

/** Every use of time, chance and the process in a parsed file, in source order. */
export function impureUses(program: Node): Use[] {
  const uses: Use[] = [];
  walk(program, undefined, "", (node, parent, key) => {
    const use = impure(node, parent, key);
    if (use !== undefined) uses.push({ at: node.start, ...use });
  });
  return uses;
}

function impure(node: Node, parent: Node | undefined, key: string): Omit<Use, "at"> | undefined {
  if (node.type === "NewExpression" && nameOf(node.callee) === "Date" && isEmpty(node.arguments)) {
    return { what: "new Date()", advice: takeClock };
  }
  if (node.type === "CallExpression" && nameOf(node.callee) === "Date") {
    return { what: "Date()", advice: takeClock };
  }
  if (node.type === "MemberExpression") {
    const what = `${nameOf(node.object)}.${nameOf(node.property)}`;
    const advice = members[what];
    return advice === undefined ? undefined : { what, advice };
  }
  if (node.type === "Identifier" && isReference(parent, key)) {
    const name = String(node.name);
    const advice = Object.hasOwn(globals, name) ? globals[name] : undefined;
    return advice === undefined ? undefined : { what: name, advice };
  }
  return undefined;
}

/** Whether an identifier at `key` of `parent` reads a variable, rather than naming a member, parameter or type. */
function isReference(parent: Node | undefined, key: string): boolean {
  if (parent === undefined || parent.type.startsWith("TS") || parent.type.startsWith("Import")) return false;
  if (parent.type === "MemberExpression") return key === "object" || parent.computed === true;
  if (parent.type === "Property") return key === "value" || parent.computed === true;
  if (/^(MethodDefinition|PropertyDefinition)$/.test(parent.type)) return key === "value";
  if (/Function/.test(parent.type)) return key === "body";
  return !(key === "id" || key === "label");
}

function walk(
  node: Node,
  parent: Node | undefined,
  key: string,
  visit: (node: Node, parent: Node | undefined, key: string) => void,
): void {
  visit(node, parent, key);
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value])
      if (isNode(child)) walk(child, node, name, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function nameOf(node: unknown): string {
  return isNode(node) && node.type === "Identifier" ? String(node.name) : "";
}

function isEmpty(list: unknown): boolean {
  return Array.isArray(list) && list.length === 0;
}

/** What a parsed file imports: static, dynamic with a literal, re-exports and `import()` types. */
export function importsOf(program: Node): { source: string; at: number; typeOnly: boolean }[] {
  const found: { source: string; at: number; typeOnly: boolean }[] = [];
  walk(program, undefined, "", (node) => {
    if (
      !/^(ImportDeclaration|ExportNamedDeclaration|ExportAllDeclaration|ImportExpression|TSImportType)$/.test(
        node.type,
      )
    ) {
      return;
    }
    const source = (node.source ?? node.argument) as { value?: unknown } | null | undefined;
    if (typeof source?.value !== "string") return;
    const typeOnly = node.type === "TSImportType" || node.importKind === "type" || node.exportKind === "type";
    found.push({ source: source.value, at: node.start, typeOnly });
  });
  return found;
}
