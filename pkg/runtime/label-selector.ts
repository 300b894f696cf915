/** Kubernetes' label selectors: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. */
import type { KubeObject } from "../api/meta.ts";

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

/**
 * Whether an object's labels satisfy every requirement of `selector`. An empty selector takes all.
 *
 * @throws RangeError when `selector` cannot be read
 */
export function labelSelector(selector: string): (object: KubeObject) => boolean {
  const requirements = split(selector).map(requirement);
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return requirements.every((holds) => holds(labels));
  };
}

/** The parts between commas that stand outside parentheses. */
function split(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

const name = "[A-Za-z0-9][A-Za-z0-9./_-]*";
const sets = new RegExp(`^(${name})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const equality = new RegExp(`^(${name})\\s*(==|=|!=)\\s*([A-Za-z0-9._-]*)$`);
const existence = new RegExp(`^(!?)\\s*(${name})$`);

function requirement(text: string): Requirement {
  const set = sets.exec(text);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    const values = new Set(list.split(",").map((value) => value.trim()));
    return operator === "in"
      ? (labels) => labels[key] !== undefined && values.has(labels[key])
      : (labels) => labels[key] === undefined || !values.has(labels[key]);
  }
  const equal = equality.exec(text);
  if (equal !== null) {
    const [, key = "", operator, value] = equal;
    return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const exists = existence.exec(text);
  if (exists !== null) {
    const [, not, key = ""] = exists;
    return not === "!" ? (labels) => labels[key] === undefined : (labels) => labels[key] !== undefined;
  }
  throw new RangeError(`Label selector requirement \`${text}\` must be like a=b, a!=b, a in (b,c), a or !a`);
}
