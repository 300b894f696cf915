import { RE2JS } from "re2js";
import { type Call, children, type Node } from "../syntax/ast.ts";
import type { Issue } from "../syntax/source-error.ts";
import { maxSeconds, minSeconds, parseDuration, parseTimestamp } from "../values/time.ts";
import { formatType, sameType, type Type, unwrapped } from "./type.ts";

/**
 * What Kubernetes refuses in a checked expression beyond its types: literals that no time, duration or pattern can
 * be read from, and lists and maps of mixed types (but for the arguments of `format`).
 */
export function checkLiterals(root: Node): readonly Issue[] {
  const issues: Issue[] = [];
  visit(root, false, issues);
  return issues;
}

function visit(node: Node, mixedAllowed: boolean, issues: Issue[]): void {
  if (node.kind === "call") issues.push(...wrongArguments(node));
  if (!mixedAllowed && node.kind === "list") {
    const types = node.elements.map((element, i) => typeIn(element, node.optionals.has(i)));
    issues.push(...mixed(node.elements, types));
  }
  if (!mixedAllowed && node.kind === "map") {
    const keys = node.entries.map(({ key }) => key);
    const values = node.entries.map(({ value }) => value);
    issues.push(
      ...mixed(
        keys,
        keys.map((key) => typeIn(key, false)),
      ),
    );
    issues.push(
      ...mixed(
        values,
        node.entries.map(({ value, optional }) => typeIn(value, optional)),
      ),
    );
  }
  const allowed = mixedAllowed || (node.kind === "call" && node.name === "format");
  for (const child of children(node)) visit(child, allowed, issues);
}

const readable: Readonly<Record<string, (text: string) => boolean>> = {
  duration: (text) => parseDuration(text) !== undefined,
  timestamp: (text) => parseTimestamp(text) !== undefined,
  matches: isPattern,
};

function wrongArguments({ name, args }: Call): readonly Issue[] {
  const [first] = args;
  if (first?.kind !== "literal") return [];
  if (name === "timestamp" && typeof first.value === "bigint") {
    const inRange = first.value >= minSeconds && first.value <= maxSeconds;
    return inRange ? [] : [{ at: first.at, message: "invalid timestamp argument" }];
  }
  if (typeof first.value !== "string") return [];
  const reads = Object.hasOwn(readable, name) ? readable[name] : undefined;
  if (reads === undefined || reads(first.value)) return [];
  return [{ at: first.at, message: `invalid ${name} argument` }];
}

function isPattern(text: string): boolean {
  try {
    RE2JS.compile(text);
    return true;
  } catch {
    // What it says of the pattern is not part of Kubernetes' message.
    return false;
  }
}

function mixed(nodes: readonly Node[], types: readonly (Type | undefined)[]): readonly Issue[] {
  const [first] = types;
  const i = types.findIndex((type) => first !== undefined && type !== undefined && !sameType(first, type));
  const [node, type] = [nodes[i], types[i]];
  if (first === undefined || node === undefined || type === undefined) return [];
  return [{ at: node.at, message: `expected type '${formatType(first)}' but found '${formatType(type)}'` }];
}

function typeIn({ type }: Node, optional: boolean): Type | undefined {
  return optional && type !== undefined ? (unwrapped(type) ?? type) : type;
}
