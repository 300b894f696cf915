/** The JSON Schema that tools describe their input with: as much of it as they need, so that nothing is left unchecked. */
export type InputSchema = Described &
  (
    | ObjectSchema
    | ArraySchema
    | StringSchema
    | IntegerSchema
    | { type: "boolean" }
    | { enum: readonly string[] }
  );

export interface ObjectSchema {
  type: "object";
  properties: Readonly<Record<string, InputSchema>>;
  required: string[];
  additionalProperties: false;
}

interface ArraySchema {
  type: "array";
  items: InputSchema;
  maxItems?: number;
}

/** Lengths in Unicode code points. */
interface StringSchema {
  type: "string";
  minLength?: number;
  maxLength?: number;
  pattern?: string;
}

interface IntegerSchema {
  type: "integer";
  minimum?: number;
  maximum?: number;
}

interface Described {
  description?: string;
}

/**
 * What is wrong with `value`, a sentence each; none when it is valid. Reads the schema as it goes: to compile each tool's in
 * each session took Ajv an eighth of the session's processor time.
 *
 * @param at - names the value in the sentences
 */
export function problemsOf(schema: InputSchema, value: unknown, at = "input"): readonly string[] {
  if ("enum" in schema) {
    const isOne = typeof value === "string" && schema.enum.includes(value);
    return isOne ? [] : [`${at} must be one of ${schema.enum.join(", ")}`];
  }
  switch (schema.type) {
    case "object":
      return objectProblems(schema, value, at);
    case "array":
      return arrayProblems(schema, value, at);
    case "string":
      return stringProblems(schema, value, at);
    case "integer":
      return integerProblems(schema, value, at);
    case "boolean":
      return typeof value === "boolean" ? [] : [`${at} must be true or false`];
  }
}

function objectProblems(
  { properties, required }: ObjectSchema,
  value: unknown,
  at: string,
): readonly string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at} must be an object`];
  const fields = Object.entries(value as Record<string, unknown>);
  const missing = required.filter((name) => !Object.hasOwn(value, name));
  return [
    ...missing.map((name) => `${at} must have the property \`${name}\``),
    ...fields.flatMap(([name, field]) => {
      const schema = Object.hasOwn(properties, name) ? properties[name] : undefined;
      if (schema === undefined) return [`${at} must not have the property \`${name.slice(0, 100)}\``];
      return problemsOf(schema, field, `${at}.${name}`);
    }),
  ];
}

function arrayProblems(
  { items, maxItems = Number.POSITIVE_INFINITY }: ArraySchema,
  value: unknown,
  at: string,
): readonly string[] {
  if (!Array.isArray(value)) return [`${at} must be an array`];
  const tooMany = value.length > maxItems ? [`${at} must not have more than ${maxItems} items`] : [];
  return [...tooMany, ...value.flatMap((item, index) => problemsOf(items, item, `${at}[${index}]`))];
}

function stringProblems(
  { minLength = 0, maxLength = Number.POSITIVE_INFINITY, pattern }: StringSchema,
  value: unknown,
  at: string,
): readonly string[] {
  if (typeof value !== "string") return [`${at} must be a string`];
  return [
    ...(lengthOf(value) < minLength ? [`${at} must not be shorter than ${minLength} characters`] : []),
    // As many code units are as many characters at most.
    ...(value.length > maxLength && lengthOf(value) > maxLength
      ? [`${at} must not be longer than ${maxLength} characters`]
      : []),
    ...(pattern !== undefined && !new RegExp(pattern, "u").test(value)
      ? [`${at} must match ${pattern}`]
      : []),
  ];
}

function integerProblems(
  { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY }: IntegerSchema,
  value: unknown,
  at: string,
): readonly string[] {
  if (!Number.isInteger(value)) return [`${at} must be an integer`];
  const number = value as number;
  if (number < minimum) return [`${at} must not be less than ${minimum}`];
  return number > maximum ? [`${at} must not be more than ${maximum}`] : [];
}

function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}
