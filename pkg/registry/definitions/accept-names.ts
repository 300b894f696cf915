import { sameJson } from "../../api/same-json.ts";
import {
  type CustomResourceDefinition,
  conditionOf,
  type DefinitionNames,
  type DefinitionStatus,
  isTrue,
  withCondition,
} from "./definition.ts";

/**
 * What a definition's status has to say of its names, given the others of its group: a name that another has accepted
 * is not given twice. Undefined when it says so already.
 *
 * @param now - a timestamp for conditions that change
 */
export function acceptNames(
  definition: CustomResourceDefinition,
  others: readonly CustomResourceDefinition[],
  now: string,
): DefinitionStatus | undefined {
  const { spec, status } = definition;
  const wanted = spec.names;
  if (sameJson(wanted, status.acceptedNames)) return undefined;
  const { accepted, conflict } = decide(wanted, status.acceptedNames, others);
  const condition =
    conflict === undefined
      ? { status: "True", reason: "NoConflicts", message: "no conflicts found" }
      : { status: "False", ...conflict };
  const said = conditionOf(definition, "NamesAccepted");
  const same =
    said?.status === condition.status &&
    said.reason === condition.reason &&
    said.message === condition.message;
  if (same && sameJson(accepted, status.acceptedNames)) return undefined;
  const named = withCondition(
    { ...status, acceptedNames: accepted },
    {
      type: "NamesAccepted",
      ...(condition as { status: "True" | "False"; reason: string; message: string }),
    },
    now,
  );
  // What is established stays so, under the names that it had.
  if (isTrue(definition, "Established")) return named;
  const established =
    conflict === undefined
      ? { reason: "Installing", message: "the initial names have been accepted" }
      : { reason: "NotAccepted", message: "not all names are accepted" };
  return withCondition(named, { type: "Established", status: "False", ...established }, now);
}

/** The next step of a definition whose names are accepted; undefined when there is none. */
export function establish(definition: CustomResourceDefinition, now: string): DefinitionStatus | undefined {
  if (!isTrue(definition, "NamesAccepted") || isTrue(definition, "Established")) return undefined;
  const message = "the initial names have been accepted";
  return withCondition(
    definition.status,
    { type: "Established", status: "True", reason: "InitialNamesAccepted", message },
    now,
  );
}

interface Conflict {
  readonly reason: string;
  readonly message: string;
}

/** The last conflict counts, as in kube-apiserver, which says one. */
function decide(
  wanted: DefinitionNames,
  had: DefinitionNames,
  others: readonly CustomResourceDefinition[],
): { accepted: DefinitionNames; conflict: Conflict | undefined } {
  const taken = others.map(({ status }) => status.acceptedNames);
  const resources = new Set(
    taken.flatMap(({ plural, singular, shortNames = [] }) => [plural, singular, ...shortNames]),
  );
  const kinds = new Set(taken.flatMap(({ kind, listKind }) => [kind, listKind]));
  const accepted: { -readonly [K in keyof DefinitionNames]: DefinitionNames[K] } = { ...had };
  let conflict: Conflict | undefined;

  const take = (
    name: "plural" | "singular" | "kind" | "listKind",
    used: Set<string | undefined>,
    reason: string,
  ) => {
    const value = wanted[name] ?? "";
    if (value === (had[name] ?? "") || !used.has(value)) accepted[name] = value;
    else conflict = { reason, message: `"${value}" is already in use` };
  };

  take("plural", resources, "PluralConflict");
  take("singular", resources, "SingularConflict");
  const clashing = (wanted.shortNames ?? []).filter(
    (name) => !had.shortNames?.includes(name) && resources.has(name),
  );
  if (clashing.length === 0) accepted.shortNames = wanted.shortNames ?? [];
  else conflict = { reason: "ShortNamesConflict", message: inUse(clashing) };
  take("kind", kinds, "KindConflict");
  take("listKind", kinds, "ListKindConflict");
  accepted.categories = wanted.categories ?? [];
  return { accepted: withoutEmpty(accepted), conflict };
}

function inUse(names: readonly string[]): string {
  const messages = names.map((name) => `"${name}" is already in use`);
  return messages.length === 1 ? (messages[0] as string) : `[${messages.join(", ")}]`;
}

function withoutEmpty({
  shortNames = [],
  categories = [],
  singular,
  listKind,
  ...names
}: DefinitionNames): DefinitionNames {
  return {
    ...names,
    ...(singular ? { singular } : {}),
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(listKind ? { listKind } : {}),
    ...(categories.length === 0 ? {} : { categories }),
  };
}
