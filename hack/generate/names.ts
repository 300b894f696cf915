/** Names of generated types and constants from names of fields. */

/** `reviewCycles` → `ReviewCycles`. */
export function pascalCase(field: string): string {
  return field
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}

/** `ProjectPhase` → `PROJECT_PHASES`. */
export function constantName(type: string): string {
  return plural(type.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase());
}

const irregular: Record<string, string> = { criteria: "criterion", status: "status", aliases: "alias" };

/** The name of one item of the list `field`: `tasks` → `task`, `criteria` → `criterion`. */
export function singular(field: string): string {
  for (const [many, one] of Object.entries(irregular)) {
    if (field.toLowerCase().endsWith(many)) return field.slice(0, -many.length) + matchCase(field, many, one);
  }
  if (field.endsWith("ies")) return `${field.slice(0, -3)}y`;
  if (/(ches|shes|sses|xes)$/.test(field)) return field.slice(0, -2);
  return field.endsWith("s") && !field.endsWith("ss") ? field.slice(0, -1) : field;
}

function matchCase(field: string, many: string, one: string): string {
  const first = field.charAt(field.length - many.length);
  return first === first.toUpperCase() ? one.charAt(0).toUpperCase() + one.slice(1) : one;
}

function plural(name: string): string {
  // Plural already: CHECKS. A status or a process is one thing.
  if (/[^SU]S$/.test(name)) return name;
  if (/[^AEIOU]Y$/.test(name)) return `${name.slice(0, -1)}IES`;
  return /(S|X|CH|SH)$/.test(name) ? `${name}ES` : `${name}S`;
}
